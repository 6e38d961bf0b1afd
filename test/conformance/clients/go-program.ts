/** Builds the Go programs of the client suites: small programs of ours around client libraries of others. */
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findExecutables } from '../../../local/toolbox/part.ts';
import { runCommand } from '../../../local/toolbox/run-command.ts';
import { cacheDirectory } from '../../../local/toolbox/toolbox.ts';

/** The first build fetches modules and compiles them; later ones find the program. */
export const GO_BUILD_WITHIN_MS = 300_000;

/**
 * The executable of the Go program in a folder that holds its `go.mod`, `go.sum` and sources, built unless it is in the
 * toolbox already. It is found again by the content of the folder and the version of Go, so an edit builds anew.
 * The versions of modules are those of `go.mod`: a folder whose `go.sum` lacks one is refused, not mended.
 * @param cache where built programs are kept
 * @throws {Error} when there is no Go on PATH; {CommandError} with the compiler's words when it does not compile
 */
export async function buildGoProgram(
  folder: string,
  cache: string = join(cacheDirectory(), 'go-programs'),
): Promise<string> {
  const [go] = await findExecutables(['go']);
  if (go === undefined) {
    throw new Error(`there is no go on PATH, with which ${basename(folder)} is built: install Go, then run again`);
  }
  const { stdout: version } = await runCommand(go, ['version'], { timeoutMs: 30_000 });
  const directory = join(cache, basename(folder), await contentHash(folder, version));
  const program = join(directory, basename(folder));
  if (await exists(program)) return program;
  await mkdir(join(cache, basename(folder)), { recursive: true });
  const staging = await mkdtemp(`${directory}.partial-`);
  try {
    await runCommand(go, ['build', '-trimpath', '-o', join(staging, basename(folder)), '.'], {
      cwd: folder,
      timeoutMs: GO_BUILD_WITHIN_MS,
      env: { GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
    });
    await rename(staging, directory).catch(async (error: unknown) => {
      // Another run that shares the cache was first: its program is the same.
      if (!(await exists(program))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return program;
}

/** Of every file in a folder and below it, and of what else decides what is built. */
async function contentHash(folder: string, version: string): Promise<string> {
  const hash = createHash('sha256').update(version);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) {
    const bytes = await readFile(file);
    hash.update(`\n${file.slice(folder.length)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
