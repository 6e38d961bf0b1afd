import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { SetupError } from '../setup-error.ts';
import { runningEngine } from '../toolbox/parts/docker.ts';
import type { Toolbox } from '../toolbox/toolbox.ts';
import { IMAGE_STORE } from './directories.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';
import { until } from './until.ts';

export interface DockerEngine {
  /** Absent where the engine is the machine's own. */
  readonly process?: SupervisedProcess;
  /** Path of the engine's socket. */
  readonly socket: string;
  readonly client: Docker;
  readonly version: string;
}

/** How long the engine may take for one answer; removing a busy container is its longest. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * The engine that answers at DOCKER_HOST or the default socket; where none does, one of our own with its own data.
 * Either way the platform's containers are gone when it returns, and again when the platform stops.
 * @throws {SetupError} if there is no engine and this user can't start one, or if it is not reached by a unix socket.
 */
export async function dockerEngine(supervisor: Supervisor, toolbox: Toolbox): Promise<DockerEngine> {
  const present = await runningEngine();
  const engine: Pick<DockerEngine, 'process' | 'socket'> =
    present === undefined ? await startEngine(supervisor, toolbox) : { socket: socketOf(present.address) };
  const client = new Docker({ socketPath: engine.socket, timeout: ANSWER_WITHIN_MS });
  const { root } = supervisor.directories;
  // On the machine's own engine a container of ours is known by a label whose value is a path in our directory, as the
  // agents of the cell set it.
  const ours = ({ Labels }: Docker.ContainerInfo): boolean =>
    present === undefined || Object.values(Labels).some((value) => value === root || value.startsWith(`${root}/`));
  await removeContainers(client, ours);
  supervisor.stopInWave(Wave.containers, {
    stop: async () => {
      // Containers of an engine that was killed end as leftovers.
      if (engine.process === undefined || engine.process.pid !== undefined) {
        await removeContainers(client, ours);
      }
    },
  });
  return { ...engine, client, version: (await client.version()).Version };
}

function socketOf(address: string): string {
  if (!address.startsWith('unix://')) {
    throw new SetupError(
      `the Docker engine at ${address} is not on this machine's unix socket: unset DOCKER_HOST, or set it to unix:///path`,
    );
  }
  return address.slice('unix://'.length);
}

async function startEngine(
  supervisor: Supervisor,
  toolbox: Toolbox,
): Promise<{ process: SupervisedProcess; socket: string }> {
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'no Docker engine answers and starting one needs root: start the docker service, or add yourself to its group',
    );
  }
  const { data, sockets } = supervisor.directories;
  const socket = join(sockets, 'docker.sock');
  const pidFile = join(sockets, 'docker.pid');
  const dataRoot = join(data, IMAGE_STORE);
  const execRoot = join(sockets, 'docker');
  const engine = supervisor.add(Wave.engine, {
    name: 'dockerd',
    command: toolbox.path('docker'),
    args: [
      ...['--data-root', dataRoot, '--exec-root', execRoot, '--host', `unix://${socket}`, '--pidfile', pidFile],
      // Containers use the host's network on loopback alone: no bridge, and the firewall stays as it is.
      ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'],
      ...['--log-level', 'warn'],
    ],
    ready: async () => {
      await new Docker({ socketPath: socket, timeout: 2000 }).ping();
    },
    readyWithinMs: 120_000,
    stopWithinMs: 20_000,
    beforeStart: () => {
      // A pid file of a killed engine stops the next one as soon as another process has its pid.
      rmSync(pidFile, { force: true });
      rmSync(join(execRoot, 'containerd', 'containerd.pid'), { force: true });
    },
  });
  await engine.start();
  return { process: engine, socket };
}

/** Removes containers, running or not. */
async function removeContainers(client: Docker, ours: (container: Docker.ContainerInfo) => boolean): Promise<void> {
  const remaining = async (): Promise<readonly Docker.ContainerInfo[]> =>
    (await client.listContainers({ all: true })).filter(ours);
  await Promise.all((await remaining()).map(({ Id }) => removeContainer(client.getContainer(Id))));
  await until(
    'containers to be removed',
    async () => {
      const left = await remaining();
      if (left.length > 0) {
        throw new Error(`${left.map((container) => container.Names[0] ?? container.Id).join(', ')} are still there`);
      }
    },
    { withinMs: ANSWER_WITHIN_MS },
  );
}

async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true });
  } catch (error) {
    // 404: gone by itself; 409: somebody removes it right now.
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) {
      throw error;
    }
  }
}
