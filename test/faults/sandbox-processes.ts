import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Platform } from '../../local/platform/platform.ts';

/** A live process of a command task, or what such a process has left behind. */
interface SandboxProcess {
  readonly pid: number;
  /** Where it works, below the agents' directory. */
  readonly directory: string;
  readonly executable: string;
  readonly command: readonly string[];
}

/** The live processes that work in the sandbox of a command task: builders, and what builds started. */
export function sandboxProcesses(platform: Platform): readonly SandboxProcess[] {
  const sandboxes = join(platform.supervisor.directories.data, 'mesos/');
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      const directory = ofProcess(() => readlinkSync(`/proc/${pid}/cwd`));
      if (!directory?.startsWith(sandboxes)) return [];
      const executable = ofProcess(() => readlinkSync(`/proc/${pid}/exe`));
      const command = ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0');
      if (executable === undefined || command === undefined) return [];
      return [{ pid: Number(pid), directory: directory.slice(sandboxes.length), executable, command }];
    });
}

/** The builders that run now; not the shells around them, which bear the same command. */
export function builderPids(platform: Platform): readonly number[] {
  return sandboxProcesses(platform)
    .filter(({ executable, command }) => executable === process.execPath && command[1]?.endsWith('/builder.ts'))
    .map(({ pid }) => pid);
}

/** Undefined for a process that is gone or not ours to look at. */
function ofProcess(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
