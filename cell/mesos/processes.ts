/** Finds the processes of a task through /proc, so that they are found again after the agent's own death. */

import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from '../../activities/mesos/thrown.ts';

/** Every process of a task inherits this variable; its value is the container id. */
export const CONTAINER_VARIABLE = 'MESOS_CONTAINER_ID';
/** Every process of a command task inherits this one; its value is the sandbox. */
export const DIRECTORY_VARIABLE = 'MESOS_DIRECTORY';

export interface TaskProcess {
  readonly pid: number;
  /** True for the process that was started first, the leader of the task's session. */
  readonly leader: boolean;
  /** When it started, in clock ticks since boot: with the pid, an identity. */
  readonly startTicks: number;
}

/** The live processes of a container, wherever they moved (groups and sessions do not matter). */
export function processesOf(containerId: string): TaskProcess[] {
  return livePids().flatMap((pid) => {
    if (environmentOf(pid)?.get(CONTAINER_VARIABLE) !== containerId) return [];
    const process = statOf(pid);
    return process === undefined ? [] : [process];
  });
}

/** Container ids of all live command tasks whose sandbox is below a directory. */
export function containersBelow(directory: string): Set<string> {
  const found = new Set<string>();
  for (const pid of livePids()) {
    const environment = environmentOf(pid);
    const containerId = environment?.get(CONTAINER_VARIABLE);
    if (containerId !== undefined && environment?.get(DIRECTORY_VARIABLE)?.startsWith(`${directory}/`)) {
      found.add(containerId);
    }
  }
  return found;
}

/** The live processes whose sandbox is below a directory and that belong to no container: checks. */
export function unmarkedBelow(directory: string): TaskProcess[] {
  return livePids().flatMap((pid) => {
    const environment = environmentOf(pid);
    const below = environment?.get(DIRECTORY_VARIABLE)?.startsWith(`${directory}/`);
    if (!below || environment?.has(CONTAINER_VARIABLE)) return [];
    return statOf(pid) ?? [];
  });
}

/** True while this very process lives (a zombie does not). */
export function isAlive(process: Pick<TaskProcess, 'pid' | 'startTicks'>): boolean {
  return statOf(process.pid)?.startTicks === process.startTicks;
}

/** A live process by its pid. */
export function findProcess(pid: number): TaskProcess | undefined {
  return statOf(pid);
}

/** Sends a signal to a process, or to a group when `pid` is negative; one that is gone already needs none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function livePids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined for a process that is gone, a zombie, or another user's. */
function environmentOf(pid: number): Map<string, string> | undefined {
  const text = readProc(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  return new Map(
    text.split('\0').map((entry) => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** See proc(5), `/proc/pid/stat`: the name in parentheses may hold anything, so fields count from the last `)`. */
function statOf(pid: number): TaskProcess | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , , session] = fields;
  const startTicks = Number(fields[19]);
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, leader: Number(session) === pid, startTicks };
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const code = codeOf(error);
    // Gone since the listing, or not ours to read: not one of our tasks either way.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
