/** Ends what agents left that no process looks after any more. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { Cgroups } from './cgroups.ts';
import { SILENT } from './log.ts';
import type { CellSettings } from './options.ts';
import { commandRuntime } from './runtime-command.ts';
import { dockerRuntime } from './runtime-docker.ts';

const ENGINE_TIMEOUT_MS = 30_000;

/**
 * Removes every container and ends every process of the agents whose directories are below `agents`; their cell must
 * not run. Rejects when the engine does not answer.
 */
export async function removeLeftovers(
  agents: string,
  { docker, isolation }: Pick<CellSettings, 'docker' | 'isolation'>,
): Promise<void> {
  if (!existsSync(agents)) return;
  for (const name of readdirSync(agents)) {
    const directory = join(agents, name);
    const workDirectory = join(directory, 'work');
    const cgroups = isolation === 'cgroups' ? new Cgroups(workDirectory) : undefined;
    await commandRuntime({ workDirectory, environment: {}, address: '', cgroups }).removeOrphans(new Set());
    await cgroups?.close();
    if (docker === undefined) continue;
    const { socketPath } = docker;
    const runtime = dockerRuntime({
      connect: (timeout) => new Docker({ socketPath, ...(timeout === undefined ? {} : { timeout }) }),
      socketPath,
      callTimeoutMs: ENGINE_TIMEOUT_MS,
      agent: directory,
      address: '',
      pullSilenceMs: ENGINE_TIMEOUT_MS,
      log: SILENT,
    });
    await runtime.removeOrphans(new Set());
  }
}
