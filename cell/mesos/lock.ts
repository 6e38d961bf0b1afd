/** One cell at a time on a directory. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../activities/mesos/thrown.ts';
import { findProcess, isAlive } from './processes.ts';

const holderSchema = z.object({ pid: z.number(), startTicks: z.number() });
export type Holder = z.output<typeof holderSchema>;

/** A lock that was torn by a death while it was written: nobody's. */
const NOBODY: Holder = { pid: 0, startTicks: 0 };

/**
 * Takes a directory for this process; call before anything in it is opened. Two cells on one would run everything
 * twice. The lock of a dead process counts for nothing. Throws when the directory belongs to a live cell, or to one
 * that takes it at this moment: of several that try at once one gets it.
 */
export function lockDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const claim = join(directory, `lock.json.${process.pid}`);
  const startTicks = findProcess(process.pid)?.startTicks ?? 0;
  try {
    writeFileSync(claim, JSON.stringify({ pid: process.pid, startTicks }));
    take(directory, lockFile(directory), claim);
  } finally {
    rmSync(claim, { force: true });
  }
}

/** Does nothing to the lock of another process, which took the directory at the same moment. */
export function unlockDirectory(directory: string): void {
  if (readHolder(lockFile(directory))?.pid !== process.pid) return;
  rmSync(lockFile(directory), { force: true });
}

/** The live process that a directory belongs to. */
export function holderOf(directory: string): Holder | undefined {
  const said = readHolder(lockFile(directory));
  return said !== undefined && isAlive(said) ? said : undefined;
}

/**
 * Puts the claim in the place of a lock. A link is made only where nothing is. Over the lock of a dead process goes only
 * who has the lock on taking over from that very process, so nobody removes what another has just put there.
 */
function take(directory: string, lock: string, claim: string): void {
  for (;;) {
    if (isLinked(claim, lock)) return;
    const holder = readHolder(lock);
    if (holder === undefined) continue;
    if (isAlive(holder)) {
      if (holder.pid === process.pid) return;
      throw new Error(`${directory} is in use by the cell with pid ${holder.pid}; stop it first`);
    }
    const takeover = `${lock}.after-${holder.pid}-${holder.startTicks}`;
    take(directory, takeover, claim);
    const now = readHolder(lock);
    if (now?.pid === holder.pid && now.startTicks === holder.startTicks) {
      renameSync(takeover, lock);
      return;
    }
    rmSync(takeover);
  }
}

/** False when there is a lock. */
function isLinked(claim: string, lock: string): boolean {
  try {
    linkSync(claim, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined where there is no lock. */
function readHolder(lock: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(lock, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return text.endsWith('}') ? holderSchema.parse(JSON.parse(text)) : NOBODY;
}

function lockFile(directory: string): string {
  return join(directory, 'lock.json');
}
