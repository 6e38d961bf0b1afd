/** One cell at a time on a directory. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../activities/mesos/thrown.ts';
import { findProcess, isAlive } from './processes.ts';

const holderSchema = z.object({ pid: z.number(), startTicks: z.number() });
export type Holder = z.output<typeof holderSchema>;

/**
 * Takes a directory for this process; call before anything in it is opened. Two cells on one would run everything
 * twice. The lock of a dead process counts for nothing. Throws when the directory belongs to a live cell.
 */
export function lockDirectory(directory: string): void {
  const holder = holderOf(directory);
  const me = findProcess(process.pid);
  if (holder !== undefined && holder.pid !== process.pid) {
    throw new Error(`${directory} is in use by the cell with pid ${holder.pid}; stop it first`);
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(lockFile(directory), JSON.stringify({ pid: process.pid, startTicks: me?.startTicks ?? 0 }));
}

/** Does nothing to the lock of another process, which took the directory at the same moment. */
export function unlockDirectory(directory: string): void {
  if (readHolder(directory)?.pid !== process.pid) return;
  rmSync(lockFile(directory), { force: true });
}

/** The live process that a directory belongs to. */
export function holderOf(directory: string): Holder | undefined {
  const said = readHolder(directory);
  return said !== undefined && isAlive(said) ? said : undefined;
}

function readHolder(directory: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(lockFile(directory), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // Torn by a death while it was written: nobody holds it.
  return text.endsWith('}') ? holderSchema.parse(JSON.parse(text)) : undefined;
}

function lockFile(directory: string): string {
  return join(directory, 'lock.json');
}
