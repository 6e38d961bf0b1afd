import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CommandError, runCommand } from './run-command.ts';
import type { PackageSource } from './sources/source.ts';
import { compareVersions } from './version.ts';

/** A program of the toolbox: how to recognise it on this machine and where it comes from when it is not there. */
export interface Part {
  /** The part's name in logs, paths and reports. */
  readonly name: string;
  /** The names its executable goes by, best first. */
  readonly commands: readonly string[];
  /** Further directories to look for it in, where its package puts it off PATH. */
  readonly directories?: readonly string[];
  /** Oldest version accepted on PATH. */
  readonly minimum: string;
  /** First version that is not accepted, where a newer line speaks another protocol or has other options. */
  readonly below?: string;
  /** How the executable tells its version: arguments, and a pattern whose first group is it. Absent where it can't. */
  readonly tells?: { readonly args: readonly string[]; readonly pattern: RegExp };
  readonly source: PackageSource;
  /** For a daemon that may be at work already: where it answers and its version. Then no executable is needed. */
  readonly running?: () => Promise<{ readonly address: string; readonly version: string } | undefined>;
}

/** A part that is on this machine. */
export interface LocatedPart {
  readonly name: string;
  /** Absolute path of the executable; for a daemon that is at work already and has none here, its address. */
  readonly path: string;
  readonly version: string;
  readonly origin: 'PATH' | 'cache' | 'installed' | 'running';
}

/** Where system daemons live on Debian, which an ordinary user's PATH leaves out. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Every executable file with one of these names on PATH, in the system directories or further ones, best name first. */
export async function findExecutables(
  commands: readonly string[],
  path: string = process.env['PATH'] ?? '',
  further: readonly string[] = [],
): Promise<readonly string[]> {
  const onPath = path.split(delimiter).filter((entry) => entry.startsWith('/'));
  const directories = [...onPath, ...SYSTEM_DIRECTORIES, ...further];
  const found: string[] = [];
  for (const command of commands) {
    for (const directory of new Set(directories)) {
      const candidate = join(directory, command);
      if (await isExecutable(candidate)) {
        found.push(candidate);
      }
    }
  }
  return found;
}

/** The part on PATH in an accepted version, else its pinned version in the cache, else as a daemon that runs already. */
export async function locate(part: Part, cache: string): Promise<LocatedPart | undefined> {
  return (await locateOnPath(part)) ?? (await locateInCache(part, cache)) ?? (await locateRunning(part));
}

async function locateRunning(part: Part): Promise<LocatedPart | undefined> {
  const running = await part.running?.();
  return running === undefined || !accepts(part, running.version)
    ? undefined
    : { name: part.name, path: running.address, version: running.version, origin: 'running' };
}

/** The part on PATH, if it is there in an accepted version. */
export async function locateOnPath(part: Part): Promise<LocatedPart | undefined> {
  for (const path of await findExecutables(part.commands, process.env['PATH'], part.directories)) {
    const version = await versionOf(part, path);
    if (version !== undefined && accepts(part, version)) {
      return { name: part.name, path, version, origin: 'PATH' };
    }
  }
  return undefined;
}

/** Where a part's pinned version lives in the cache; it is there whole or not at all. */
export function cachedPath(part: Part, cache: string): string | undefined {
  return part.source.kind === 'Debian package'
    ? undefined
    : join(cache, part.name, part.source.version, part.source.executable);
}

async function locateInCache(part: Part, cache: string): Promise<LocatedPart | undefined> {
  const path = cachedPath(part, cache);
  return path !== undefined && part.source.kind !== 'Debian package' && (await isExecutable(path))
    ? { name: part.name, path, version: part.source.version, origin: 'cache' }
    : undefined;
}

function accepts(part: Part, version: string): boolean {
  return (
    version === UNTOLD ||
    (compareVersions(version, part.minimum) >= 0 &&
      (part.below === undefined || compareVersions(version, part.below) < 0))
  );
}

/** The version of an executable that has no way to tell it. */
const UNTOLD = 'unknown';

/** What the executable says its version is; undefined where it does not run or says something else. */
async function versionOf(part: Part, path: string): Promise<string | undefined> {
  if (part.tells === undefined) {
    return UNTOLD;
  }
  try {
    const { stdout, stderr } = await runCommand(path, part.tells.args, { timeoutMs: 60_000 });
    return part.tells.pattern.exec(`${stdout}${stderr}`)?.[1];
  } catch (error) {
    if (error instanceof CommandError) {
      return undefined;
    }
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
