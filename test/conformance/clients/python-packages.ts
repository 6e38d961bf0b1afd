/** Installs the Python clients of the suites: packages pinned by their hashes, on the old Python that they need. */
import { basename, join } from 'node:path';
import { findExecutables } from '../../../local/toolbox/part.ts';
import { CommandError, runCommand } from '../../../local/toolbox/run-command.ts';
import { cacheDirectory } from '../../../local/toolbox/toolbox.ts';
import type { Client } from './client.ts';
import { contentHash, exists, makeOnce } from './made-once.ts';

const INSTALL_WITHIN_MS = 300_000;
const REQUIREMENTS = 'requirements.txt';

/**
 * The packages of a folder's `requirements.txt` as a client: a Python that finds them.
 * @param versions the lines of CPython that the packages run on, best first, such as `3.6`
 */
export function pythonClient(folder: string, versions: readonly string[]): Client {
  const directoryFor = async (python: string) => {
    const hash = await contentHash(folder, await tells(python), [REQUIREMENTS]);
    return join(cacheDirectory(), 'python-packages', basename(folder), hash);
  };
  return {
    name: basename(folder),
    locate: async () => {
      const python = await findPython(versions);
      const packages = python && (await directoryFor(python));
      if (python === undefined || packages === undefined || !(await exists(packages))) return undefined;
      return { file: python, env: { PYTHONPATH: packages, PYTHONNOUSERSITE: '1' } };
    },
    obstacle: async () => {
      if (process.platform !== 'linux' || process.arch !== 'x64') return 'its packages are pinned for Linux on amd64';
      if ((await findPython(versions)) !== undefined) return undefined;
      const names = versions.map((version) => `python${version}`).join(' or ');
      return `it needs ${names} with pip, on PATH or under pyenv`;
    },
    install: async () => {
      const python = await findPython(versions);
      if (python === undefined) throw new Error(`${basename(folder)} was to be installed without a Python`);
      await makeOnce(await directoryFor(python), async (staging) => {
        await runCommand(
          python,
          [
            ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'],
            ...['--require-hashes', '--target', staging, '--requirement', join(folder, REQUIREMENTS)],
          ],
          // The hashes are those of the index's files, not of what a machine may have built of them.
          { timeoutMs: INSTALL_WITHIN_MS, env: { PIP_ROOT_USER_ACTION: 'ignore', PIP_FIND_LINKS: '' } },
        );
      });
    },
  };
}

/** A CPython of one of these lines that has pip: by its name on PATH, else one that pyenv keeps. */
async function findPython(versions: readonly string[]): Promise<string | undefined> {
  for (const version of versions) {
    const candidates = await findExecutables([`python${version}`]);
    for (const candidate of [...candidates, ...(await pyenvPythons(version))]) {
      // A shim of pyenv is there for versions too that are not chosen, and then refuses to run.
      if (await runs(candidate, ['-m', 'pip', '--version'])) return candidate;
    }
  }
  return undefined;
}

async function pyenvPythons(version: string): Promise<readonly string[]> {
  const [pyenv] = await findExecutables(['pyenv']);
  if (pyenv === undefined) return [];
  const { stdout } = await runCommand(pyenv, ['versions', '--bare'], { timeoutMs: 30_000 });
  const kept = stdout.split('\n').map((line) => line.trim());
  return Promise.all(
    kept
      .filter((name) => name.startsWith(`${version}.`))
      .map(async (name) => {
        const prefix = await runCommand(pyenv, ['prefix', name], { timeoutMs: 30_000 });
        return join(prefix.stdout.trim(), 'bin', `python${version}`);
      }),
  );
}

async function runs(file: string, args: readonly string[]): Promise<boolean> {
  try {
    await runCommand(file, args, { timeoutMs: 30_000 });
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

async function tells(python: string): Promise<string> {
  return (await runCommand(python, ['--version'], { timeoutMs: 30_000 })).stdout;
}
