import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Directories } from './directories.ts';
import {
  descendantsOf,
  isAlive,
  type ProcessIdentity,
  processesWithEnvironment,
  signalProcess,
} from './process-identity.ts';
import { until } from './until.ts';

/** Every process of a platform, and what they start, carries its root directory in this variable. */
export const PLATFORM_VARIABLE = 'SLIPWAY_PLATFORM';

const runRecord = z.object({ name: z.string(), pid: z.number().int().positive(), startTime: z.string() });

/** How long a killed process may take to be gone. */
const GONE_WITHIN_MS = 30_000;

/**
 * Ends what a launcher that died left behind: the processes of the run records (a pid whose start time differs is
 * somebody else's and is left alone), whatever else carries the platform's variable, and what these started, such as
 * containers, whose environment is their own. Returns how they are named.
 */
export async function clearLeftovers(directories: Directories): Promise<readonly string[]> {
  const recorded = readRunRecords(directories.run).filter(isAlive);
  const names = new Map(recorded.map((record) => [record.pid, record.name]));
  const cleared: string[] = [];
  // Once more after each round, for what was started while the round went on.
  for (let left = findLeftovers(directories, recorded); left.length > 0; left = findLeftovers(directories, recorded)) {
    for (const { pid } of left) {
      signalProcess(pid, 'SIGKILL');
      cleared.push(names.get(pid) ?? `pid ${pid}`);
    }
    await allGone(left);
  }
  for (const file of runRecordFiles(directories.run)) {
    rmSync(file, { force: true });
  }
  return cleared;
}

function findLeftovers(directories: Directories, recorded: readonly ProcessIdentity[]): readonly ProcessIdentity[] {
  const roots = [...recorded.filter(isAlive), ...processesWithEnvironment(PLATFORM_VARIABLE, directories.root)];
  const all = [...roots, ...descendantsOf(roots)].filter((process) => process.pid !== globalThis.process.pid);
  return [...new Map(all.map((process) => [process.pid, process])).values()];
}

async function allGone(processes: readonly ProcessIdentity[]): Promise<void> {
  await until(
    'killed processes to be gone',
    () => {
      const left = processes.filter(isAlive);
      if (left.length > 0) {
        throw new Error(`pids ${left.map((process) => process.pid).join(', ')} live`);
      }
    },
    { withinMs: GONE_WITHIN_MS },
  );
}

/** The records of processes that run or ran; a file that a dying launcher left half written names nobody. */
function readRunRecords(run: string): readonly (ProcessIdentity & { readonly name: string })[] {
  return runRecordFiles(run).flatMap((file) => {
    const record = runRecord.safeParse(parseJson(readFileSync(file, 'utf8')));
    return record.success ? [{ ...record.data, name: basename(file, '.json') }] : [];
  });
}

function runRecordFiles(run: string): readonly string[] {
  return readdirSync(run)
    .filter((file) => file.endsWith('.json'))
    .map((file) => join(run, file));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
