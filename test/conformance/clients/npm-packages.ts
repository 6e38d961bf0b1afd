/** Installs the npm clients of the suites apart from the product's own packages, which theirs are ten years older than. */
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findExecutables } from '../../../local/toolbox/part.ts';
import { runCommand } from '../../../local/toolbox/run-command.ts';
import { cacheDirectory } from '../../../local/toolbox/toolbox.ts';
import type { Client } from './client.ts';
import { contentHash, exists, makeOnce } from './made-once.ts';

const INSTALL_WITHIN_MS = 300_000;
const MANIFESTS = ['package.json', 'package-lock.json'];

/** The packages of a folder's `package-lock.json` as a client: this Node, whose `require` finds them. */
export function npmClient(folder: string): Client {
  const directory = async () => {
    const hash = await contentHash(folder, process.version, MANIFESTS);
    return join(cacheDirectory(), 'npm-packages', basename(folder), hash);
  };
  return {
    name: basename(folder),
    locate: async () => {
      const packages = join(await directory(), 'node_modules');
      return (await exists(packages)) ? { file: process.execPath, env: { NODE_PATH: packages } } : undefined;
    },
    obstacle: async () => ((await findExecutables(['npm'])).length === 0 ? 'it needs npm on PATH' : undefined),
    install: async () =>
      makeOnce(await directory(), async (staging) => {
        for (const name of MANIFESTS) await copyFile(join(folder, name), join(staging, name));
        await runCommand('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
          cwd: staging,
          timeoutMs: INSTALL_WITHIN_MS,
        });
      }),
  };
}
