import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { glob, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandError, runCommand } from '../run-command.ts';
import type { PyPiLibrarySource } from './source.ts';

/**
 * Fetches the package, takes its library into `directory` and has it built upon there.
 * @throws {CommandError} if pip does not bring the library, or another than the pinned one.
 */
export async function installFromPyPiLibrary(source: PyPiLibrarySource, directory: string): Promise<void> {
  const work = await mkdtemp(join(directory, 'package-'));
  try {
    const output = await download(source, work);
    const library = await firstOf(glob(`**/${source.library}`, { cwd: work }));
    if (library === undefined) {
      throw new CommandError(`pip brought no ${source.library}: ${output.trim()}`, output);
    }
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(work, library)), hash);
    const digest = hash.digest('hex');
    if (digest !== source.sha256) {
      const found = `${source.library} of ${source.package} has the SHA-256 ${digest} and not ${source.sha256}`;
      throw new CommandError(found, output);
    }
    await rename(join(work, library), join(directory, source.library));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await source.build(directory);
}

/**
 * Such a package is the tree of an installation. pip unpacks it, finds no project in it, and fails; with `--no-clean` it
 * leaves the tree behind. So its exit code says nothing. Returns what it wrote.
 */
async function download(source: PyPiLibrarySource, work: string): Promise<string> {
  const wanted = `${source.package}===${source.release}`;
  const args = ['-m', 'pip', 'download', '--quiet', '--no-input', '--disable-pip-version-check'];
  try {
    const options = { timeoutMs: 300_000, env: { TMPDIR: work, PIP_ROOT_USER_ACTION: 'ignore' } };
    const { stderr } = await runCommand(
      'python3',
      [...args, '--no-clean', '--no-deps', '--dest', work, wanted],
      options,
    );
    return stderr;
  } catch (error) {
    if (error instanceof CommandError) {
      return error.output;
    }
    throw error;
  }
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) {
    return item;
  }
  return undefined;
}
