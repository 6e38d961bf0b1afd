import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

/** Two registries on one storage behind one address, as `deploy/registry` sets them up for production. */
export interface RegistryPair {
  readonly processes: {
    readonly registry1: SupervisedProcess;
    readonly registry2: SupervisedProcess;
    /** The HAProxy in front, which also makes them read-only. */
    readonly front: SupervisedProcess;
  };
  /** `host:port` under which images are pushed and pulled. */
  readonly address: string;
  /** `host:port` of each replica. */
  readonly replicas: readonly string[];
  /** Commands that prepare, run and end a garbage collection. */
  readonly maintenance: {
    readonly readOnly: readonly string[];
    readonly collect: readonly string[];
    readonly readWrite: readonly string[];
  };
  /** Where the blobs are, to see what a collection wins. */
  readonly store: string;
}

export interface RegistryOptions {
  readonly registry: string;
  readonly haproxy: string;
  readonly ports: {
    readonly front: number;
    readonly replicas: readonly [number, number];
    readonly servers: readonly [number, number];
    readonly runtime: number;
  };
}

const DEPLOY = join(import.meta.dirname, '../../deploy/registry');
const CONFIG = join(DEPLOY, 'config.yml');
const LOOPBACK = '127.0.0.1';

/** The pair and its front; not started. */
export function registryPair(supervisor: Supervisor, options: RegistryOptions): RegistryPair {
  const store = join(supervisor.directories.data, 'registry');
  for (const directory of ['repositories', 'blobs']) {
    // For want of these a collection of a store into which nobody has pushed yet fails.
    mkdirSync(join(store, 'docker/registry/v2', directory), { recursive: true });
  }
  const { ports } = options;
  const [server1, server2] = ports.servers;
  const [replica1, replica2] = ports.replicas;
  const storage = { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: store };
  const registry = (name: string, port: number): SupervisedProcess =>
    supervisor.add(Wave.systems, {
      name,
      command: options.registry,
      args: ['serve', CONFIG],
      env: {
        ...storage,
        REGISTRY_HTTP_ADDR: `${LOOPBACK}:${port}`,
        // Shared, so that an upload begun at one may end at the other. It guards nothing on a loopback registry.
        REGISTRY_HTTP_SECRET: createHash('sha256').update(store).digest('hex'),
      },
      ready: () => servesRegistryApi(port),
      readyWithinMs: 120_000,
      stopWithinMs: 10_000,
    });
  const front = supervisor.add(Wave.systems, {
    name: 'registry-front',
    command: options.haproxy,
    args: ['-W', '-C', DEPLOY, '-f', join(DEPLOY, 'haproxy.cfg')],
    env: {
      REGISTRY_ADDRESS: `${LOOPBACK}:${ports.front}`,
      REGISTRY_REPLICA_1: `${LOOPBACK}:${replica1}`,
      REGISTRY_REPLICA_2: `${LOOPBACK}:${replica2}`,
      REGISTRY_SERVER_1: `${LOOPBACK}:${server1}`,
      REGISTRY_SERVER_2: `${LOOPBACK}:${server2}`,
      REGISTRY_RUNTIME: `${LOOPBACK}:${ports.runtime}`,
    },
    ready: async () => {
      await Promise.all([ports.front, replica1, replica2].map(servesRegistryApi));
    },
    readyWithinMs: 120_000,
    stopWithinMs: 5000,
  });
  const setMode = (mode: string): readonly string[] => [
    process.execPath,
    join(DEPLOY, 'registry-mode.ts'),
    `${LOOPBACK}:${ports.runtime}`,
    mode,
  ];
  const environment = Object.entries(storage).map(([name, value]) => `${name}=${value}`);
  return {
    processes: { registry1: registry('registry-1', server1), registry2: registry('registry-2', server2), front },
    address: `${LOOPBACK}:${ports.front}`,
    replicas: [`${LOOPBACK}:${replica1}`, `${LOOPBACK}:${replica2}`],
    maintenance: {
      readOnly: setMode('read-only'),
      collect: ['/usr/bin/env', ...environment, options.registry, 'garbage-collect', CONFIG],
      readWrite: setMode('read-write'),
    },
    store,
  };
}

/** Starts the registries, then their front: it would take one that does not listen yet for dead. */
export async function startRegistryPair(pair: RegistryPair): Promise<void> {
  const { registry1, registry2, front } = pair.processes;
  await Promise.all([registry1.start(), registry2.start()]);
  await front.start();
}

async function servesRegistryApi(port: number): Promise<void> {
  await answerOf(`http://${LOOPBACK}:${port}/v2/`);
}
