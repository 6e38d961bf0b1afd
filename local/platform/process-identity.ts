import { readdirSync, readFileSync } from 'node:fs';

/** A process that can be told from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The boot's id and the process's start in clock ticks since boot (field 22 of /proc/<pid>/stat, proc(5)). */
  readonly startTime: string;
}

/** The start time of a live process; undefined if there is none with this pid, or only its zombie. */
export function startTimeOf(pid: number): string | undefined {
  const fields = statFields(pid);
  const [state, ticks] = [fields?.[0], fields?.[19]];
  return state === undefined || state === 'Z' || state === 'X' || ticks === undefined
    ? undefined
    : `${readProc('sys/kernel/random/boot_id')?.trim()}:${ticks}`;
}

/** The fields of /proc/<pid>/stat from the third on: state, parent, group and so on. */
function statFields(pid: number): readonly string[] | undefined {
  const stat = readProc(`${pid}/stat`);
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Whether this very process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** The live processes, other than this one, whose environment at start held `name=value`. */
export function processesWithEnvironment(name: string, value: string): readonly ProcessIdentity[] {
  return allPids().flatMap((pid) => {
    const carries = readProc(`${pid}/environ`)?.split('\0').includes(`${name}=${value}`) === true;
    return carries ? identitiesOf([pid]) : [];
  });
}

/** What these processes started, directly or not, and what still lives of it; without themselves. */
export function descendantsOf(processes: readonly ProcessIdentity[]): readonly ProcessIdentity[] {
  const children = Map.groupBy(allPids(), (pid) => Number(statFields(pid)?.[1]));
  const found = new Set<number>();
  const queue = processes.map((process) => process.pid);
  for (let parent = queue.pop(); parent !== undefined; parent = queue.pop()) {
    for (const child of children.get(parent) ?? []) {
      if (!found.has(child)) {
        found.add(child);
        queue.push(child);
      }
    }
  }
  return identitiesOf([...found]);
}

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function identitiesOf(pids: readonly number[]): readonly ProcessIdentity[] {
  return pids.flatMap((pid) => {
    const startTime = startTimeOf(pid);
    return startTime === undefined ? [] : [{ pid, startTime }];
  });
}

/** A file of /proc; undefined if the process is gone or belongs to somebody else. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') {
      return undefined;
    }
    throw error;
  }
}

/** Sends a signal to a process group, or to nobody if the group is gone. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalProcess(-group, signal);
}

/** Sends a signal to a process (or to the group of a negative number), or to nobody if it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}
