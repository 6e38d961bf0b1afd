/** Puts the files of one commit into a directory. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CheckoutFacts } from '../../domain/pipelines/stage.ts';
import { GitExit, gitFailure, runGit } from '../git/client.ts';
import { isSystemError } from '../system-error.ts';
import { buildFailed } from './failures.ts';

export interface CheckoutOptions {
  /** Anything `git clone` takes. */
  readonly repository: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Emptied, then filled with the files of the commit. */
  readonly directory: string;
  /** Git's own data. Apart from the files, so that it is in no image and changes no digest. */
  readonly gitDirectory: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Checkout {
  readonly facts: CheckoutFacts;
  /** Time of the commit, seconds since 1970: the time of every file in the image. */
  readonly committedAt: number;
}

const packageSchema = z.looseObject({ scripts: z.record(z.string(), z.string()).optional() });

/** Fails with `SystemUnavailable` when the repository can't be read, `BuildFailed` when `package.json` is not JSON. */
export async function checkOut(options: CheckoutOptions): Promise<Checkout> {
  const { repository, commit, directory, gitDirectory, signal } = options;
  for (const path of [directory, gitDirectory]) {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
  }
  const git = (...args: string[]) =>
    runGit(['--git-dir', gitDirectory, '--work-tree', directory, ...args], {
      cwd: directory,
      timeoutMs: options.timeoutMs,
      signal,
    });
  try {
    await git('init', '--quiet');
    await fetchCommit(git, repository, commit);
    await git('checkout', '--quiet', '--detach', '--force', commit);
    const time = (await git('show', '--no-patch', '--format=%ct', commit)).toString('utf8').trim();
    return { facts: await readFacts(directory), committedAt: Number(time) };
  } catch (error) {
    throw error instanceof GitExit ? gitFailure(repository, `checkout of ${commit.slice(0, 12)}`, error) : error;
  }
}

/** One commit without its history; everything from servers that give no commit by its id. */
async function fetchCommit(git: (...args: string[]) => Promise<Buffer>, repository: string, commit: string) {
  try {
    await git('fetch', '--quiet', '--depth', '1', '--no-tags', '--end-of-options', repository, commit);
  } catch (error) {
    if (!(error instanceof GitExit)) throw error;
    await git('fetch', '--quiet', '--no-tags', '--end-of-options', repository, '+refs/*:refs/remotes/origin/*');
  }
}

async function readFacts(directory: string): Promise<CheckoutFacts> {
  const lockfile = (await readIfThere(join(directory, 'package-lock.json'))) !== undefined;
  const text = await readIfThere(join(directory, 'package.json'));
  if (text === undefined) return { lockfile, scripts: [] };
  try {
    return { lockfile, scripts: Object.keys(packageSchema.parse(JSON.parse(text)).scripts ?? {}) };
  } catch (error) {
    throw buildFailed('checkout', 'can not read package.json', String(error));
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
