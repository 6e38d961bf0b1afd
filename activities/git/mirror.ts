/** Bare mirrors of service repositories, kept on disk, read with the git command. */
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitExit, gitFailure, runGit } from './client.ts';

export interface MirrorOptions {
  /** Anything `git clone` takes. */
  readonly repository: string;
  /** Directory of all mirrors. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
}

/** Clones and fetches of one mirror by this process run one after the other. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Brings a mirror up to date, cloning it the first time, and returns its directory. Several processes may do it at
 * once: git's own locks order fetches, and a clone appears whole or not at all.
 */
export async function updateMirror(options: MirrorOptions): Promise<string> {
  const directory = mirrorDirectory(options);
  const before = turns.get(directory) ?? Promise.resolve();
  const turn = before.catch(() => undefined).then(() => update(directory, options));
  turns.set(directory, turn);
  try {
    await turn;
  } finally {
    if (turns.get(directory) === turn) turns.delete(directory);
  }
  return directory;
}

/** The mirror's directory as it is, without asking the repository; undefined when there is none yet. */
export async function existingMirror(options: MirrorOptions): Promise<string | undefined> {
  const directory = mirrorDirectory(options);
  return (await exists(directory)) ? directory : undefined;
}

function mirrorDirectory({ repository, cacheDir }: MirrorOptions): string {
  return join(cacheDir, `${createHash('sha256').update(repository).digest('hex').slice(0, 16)}.git`);
}

async function update(directory: string, options: MirrorOptions): Promise<void> {
  const { repository, signal } = options;
  if (await exists(directory)) {
    await remote(repository, ['fetch', '--quiet', '--prune', '--force', '--tags', 'origin'], {
      cwd: directory,
      signal,
    });
    return;
  }
  await mkdir(options.cacheDir, { recursive: true });
  const clone = `${directory}.${process.pid}.${Date.now().toString(36)}`;
  try {
    await remote(repository, ['clone', '--quiet', '--mirror', '--', repository, clone], { signal });
    await rename(clone, directory).catch(async (error: unknown) => {
      // Another process was first; its clone is as good.
      if (!(await exists(directory))) throw error;
    });
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

/** What goes over the network: any failure may pass. */
async function remote(
  repository: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    await runGit(args, { ...options, timeoutMs: 300_000 });
  } catch (error) {
    if (error instanceof GitExit) throw gitFailure(repository, args[0] ?? '', error);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Whatever the reason, git can't use it either, and says why when it tries to make it.
    return false;
  }
}
