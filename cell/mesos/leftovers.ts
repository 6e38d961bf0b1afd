/** Ends what agents left that no process looks after any more. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { SILENT } from './log.ts';
import { commandRuntime } from './runtime-command.ts';
import { dockerRuntime } from './runtime-docker.ts';

const ENGINE_TIMEOUT_MS = 30_000;

/**
 * Removes every container and ends every process of the agents whose directories are below `agents`; their cell must
 * not run. Rejects when the engine does not answer.
 * @param socketPath of the engine; undefined where there was none
 */
export async function removeLeftovers(agents: string, socketPath: string | undefined): Promise<void> {
  if (!existsSync(agents)) return;
  for (const name of readdirSync(agents)) {
    const directory = join(agents, name);
    const command = commandRuntime({ workDirectory: join(directory, 'work'), environment: {}, address: '' });
    await command.removeOrphans(new Set());
    if (socketPath === undefined) continue;
    const docker = dockerRuntime({
      connect: (timeout) => new Docker({ socketPath, ...(timeout === undefined ? {} : { timeout }) }),
      callTimeoutMs: ENGINE_TIMEOUT_MS,
      agent: directory,
      address: '',
      pullSilenceMs: ENGINE_TIMEOUT_MS,
      log: SILENT,
    });
    await docker.removeOrphans(new Set());
  }
}
