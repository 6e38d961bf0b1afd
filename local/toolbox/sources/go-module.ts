import { runCommand } from '../run-command.ts';
import type { GoModuleSource } from './source.ts';

/** Builds the module's command into `directory`. Go checks the sources against its checksum database. */
export async function installFromGoModule(source: GoModuleSource, directory: string): Promise<void> {
  await runCommand('go', ['install', `${source.module}@v${source.version}`], {
    timeoutMs: 900_000,
    env: { GOBIN: directory },
  });
}
