import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Change, VERSIONS, type Version, type VersionName } from './versions.ts';

const run = promisify(execFile);
const GIT_TIMEOUT_MS = 30_000;

/** The sample service's repository. */
export interface SampleRepository {
  /** Path of the bare repository. */
  readonly path: string;
  /**
   * Puts a version on `main`, as a push does.
   *
   * @param changes made to the version's files, such as another name or shorter times in its manifest
   * @returns its commit
   */
  push(version: VersionName, changes?: Version['changes']): Promise<string>;
}

/**
 * Makes the sample service's bare repository; nothing is pushed yet. The same versions always make the same commits:
 * author and dates are fixed.
 *
 * @param options.nodeVersion tag of `base/node` in the registry
 */
export async function createSampleRepository(
  path: string,
  options: { readonly nodeVersion: string },
): Promise<SampleRepository> {
  await rm(path, { recursive: true, force: true });
  await git(['init', '--quiet', '--bare', '--initial-branch=main', path]);
  let pushes = 0;
  return {
    path,
    async push(version, more = {}) {
      const work = await mkdtemp(join(tmpdir(), 'slipway-sample-'));
      try {
        const first = pushes === 0;
        if (first) await git(['init', '--quiet', '--initial-branch=main', work]);
        else await git(['clone', '--quiet', path, work]);
        await cp(join(import.meta.dirname, 'service'), work, { recursive: true });
        const { subject, changes } = VERSIONS[version];
        const node: Change = { find: 'NODE_VERSION', put: options.nodeVersion };
        for (const [file, found] of [
          ['Dockerfile', [node]] as const,
          ['test/contract/Dockerfile', [node]] as const,
          ...Object.entries(changes),
          ...Object.entries(more),
        ]) {
          await change(join(work, file), found);
        }
        await git(['-C', work, 'add', '--all']);
        await git(['-C', work, 'commit', '--quiet', '--message', subject], commitDate(pushes));
        await git(['-C', work, 'push', '--quiet', path, 'HEAD:main']);
        pushes++;
        return (await git(['-C', work, 'rev-parse', 'HEAD'])).trim();
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  };
}

async function change(file: string, changes: readonly Change[]): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const { find, put } of changes) {
    if (!text.includes(find)) throw new Error(`${file} has no ${JSON.stringify(find)} to change`);
    text = text.replace(find, put);
  }
  await writeFile(file, text);
}

function commitDate(number: number): Record<string, string> {
  const date = new Date(Date.UTC(2026, 0, 1 + number, 12)).toISOString();
  return { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
}

async function git(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const identity = {
    GIT_AUTHOR_NAME: 'Sample',
    GIT_AUTHOR_EMAIL: 'sample@example.invalid',
    GIT_COMMITTER_NAME: 'Sample',
    GIT_COMMITTER_EMAIL: 'sample@example.invalid',
    // The machine's own settings, such as hooks or signing, must not change the commits.
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  };
  const { stdout } = await run('git', args, { timeout: GIT_TIMEOUT_MS, env: { ...process.env, ...identity, ...env } });
  return stdout;
}
