/** Packs a build context so that equal files give equal bytes. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isSystemError } from '../system-error.ts';
import { readIgnoreFile } from './ignore-file.ts';

export interface ContextOptions {
  readonly directory: string;
  /** Inside the directory; it and `.dockerignore` are always packed, as the docker command does. */
  readonly dockerfile: string;
  /** Time of every entry, seconds since 1970. */
  readonly time: number;
  readonly signal: AbortSignal;
}

/**
 * A tar of the context, entries sorted, all with one time, owner and mode: the layers that `COPY` makes of it depend on
 * the content alone. The stream breaks with an error when a file can't be read. Needs GNU tar.
 */
export async function packContext(options: ContextOptions): Promise<Readable> {
  const { directory, dockerfile, time, signal } = options;
  const ignored = await readIgnore(directory);
  const always = new Set([dockerfile.replace(/^\.\//, ''), '.dockerignore']);
  const entries = (await list(directory)).filter((path) => always.has(path) || !ignored(path));
  const tar = spawn(
    'tar',
    [
      '--create',
      '--directory',
      directory,
      '--format=gnu',
      `--mtime=@${time}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=u=rwX,go=rX',
      '--no-recursion',
      '--null',
      '--verbatim-files-from',
      '--files-from=-',
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], LC_ALL: 'C' }, signal },
  );
  let said = '';
  tar.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const broken = (message: string) =>
    tar.stdout.destroy(new Error(`the build context could not be packed: ${message}`));
  tar.on('error', (error) => broken(error.message));
  tar.on('exit', (code) => {
    if (code !== 0) broken(said.trim() || `tar ended with ${code}`);
  });
  tar.stdin.on('error', (error) => broken(error.message));
  tar.stdin.end(entries.map((entry) => `${entry}\0`).join(''));
  return tar.stdout;
}

async function readIgnore(directory: string): Promise<(path: string) => boolean> {
  try {
    return readIgnoreFile(await readFile(join(directory, '.dockerignore'), 'utf8'));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return () => false;
    throw error;
  }
}

/** Every path below a directory, sorted by code unit, directories included, links not followed. */
async function list(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
