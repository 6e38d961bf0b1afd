/** Builds the Go programs of the client suites: small programs of ours around client libraries of others. */
import { basename, join } from 'node:path';
import { findExecutables } from '../../../local/toolbox/part.ts';
import { runCommand } from '../../../local/toolbox/run-command.ts';
import { cacheDirectory } from '../../../local/toolbox/toolbox.ts';
import type { Client } from './client.ts';
import { contentHash, exists, makeOnce } from './made-once.ts';

/** The first build fetches modules and compiles them; later ones find the program. */
export const GO_BUILD_WITHIN_MS = 300_000;

/** The program of a folder as a client. */
export function goClient(folder: string): Client {
  return {
    name: basename(folder),
    locate: async () => {
      const go = await findGo();
      const file = go && (await programPath(go, folder, programCache()));
      return file !== undefined && (await exists(file)) ? { file, env: {} } : undefined;
    },
    obstacle: async () => ((await findGo()) === undefined ? noGo(folder) : undefined),
    install: async () => {
      await buildGoProgram(folder);
    },
  };
}

/**
 * The executable of the Go program in a folder that holds its `go.mod`, `go.sum` and sources, built unless it is in the
 * toolbox already. It is found again by the content of the folder and the version of Go, so an edit builds anew.
 * The versions of modules are those of `go.mod`: a folder whose `go.sum` lacks one is refused, not mended.
 * @param cache where built programs are kept
 * @throws {Error} when there is no Go on PATH; {CommandError} with the compiler's words when it does not compile
 */
export async function buildGoProgram(folder: string, cache: string = programCache()): Promise<string> {
  const go = await findGo();
  if (go === undefined) throw new Error(noGo(folder));
  const program = await programPath(go, folder, cache);
  if (await exists(program)) return program;
  await makeOnce(join(program, '..'), async (staging) => {
    await runCommand(go, ['build', '-trimpath', '-o', join(staging, basename(folder)), '.'], {
      cwd: folder,
      timeoutMs: GO_BUILD_WITHIN_MS,
      env: { GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
    });
  });
  return program;
}

const programCache = () => join(cacheDirectory(), 'go-programs');
const findGo = async () => (await findExecutables(['go']))[0];
const noGo = (folder: string) =>
  `there is no go on PATH, with which ${basename(folder)} is built: install Go, then run again`;

async function programPath(go: string, folder: string, cache: string): Promise<string> {
  const { stdout: version } = await runCommand(go, ['version'], { timeoutMs: 30_000 });
  return join(cache, basename(folder), await contentHash(folder, version), basename(folder));
}
