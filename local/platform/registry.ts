import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runCommand } from '../toolbox/run-command.ts';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export type RegistryMode = 'read-write' | 'read-only';

export interface RegistryServer {
  readonly process: SupervisedProcess;
  /** `host:port`. */
  readonly address: string;
  /** Restarts the registry so that it takes pushes and deletions, or answers 405 to them. */
  setMode(mode: RegistryMode): Promise<void>;
  /**
   * Runs the registry's own garbage collection and returns what it wrote.
   * @throws {Error} in read-write mode: a push meanwhile would lose layers.
   */
  collect(): Promise<string>;
}

export interface RegistryOptions {
  readonly executable: string;
  readonly port: number;
}

/** A registry of CNCF Distribution on a directory, deletions allowed. */
export function registryServer(supervisor: Supervisor, options: RegistryOptions): RegistryServer {
  const data = join(supervisor.directories.data, 'registry');
  for (const directory of ['repositories', 'blobs']) {
    // For want of these a collection of a store into which nobody has pushed yet fails.
    mkdirSync(join(data, 'store/docker/registry/v2', directory), { recursive: true });
  }
  const config = join(data, 'config.yml');
  const address = `127.0.0.1:${options.port}`;
  let mode: RegistryMode = 'read-write';
  const write = (): void => writeFileSync(config, stringify(registryConfig(data, address, mode)));
  write();
  const process = supervisor.add(Wave.systems, {
    name: 'registry',
    command: options.executable,
    args: ['serve', config],
    ready: async () => {
      await answerOf(`http://${address}/v2/`);
    },
    readyWithinMs: 20_000,
    stopWithinMs: 10_000,
  });
  return {
    process,
    address,
    setMode: async (wanted) => {
      // Restarted even if it is in that mode: a caller that repeats a call can't know how far the first one came.
      mode = wanted;
      write();
      await process.restart();
    },
    collect: async () => {
      if (mode !== 'read-only') {
        throw new Error('the registry is read-write: garbage collection needs it read-only');
      }
      const { stdout, stderr } = await runCommand(options.executable, ['garbage-collect', config], {
        timeoutMs: 300_000,
      });
      return `${stdout}${stderr}`;
    },
  };
}

function registryConfig(data: string, address: string, mode: RegistryMode): object {
  return {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(data, 'store') },
      delete: { enabled: true },
      // No blob descriptor cache: after a collection it would answer for layers that are gone.
      maintenance: { readonly: { enabled: mode === 'read-only' } },
    },
    http: { addr: address, secret: createHash('sha256').update(data).digest('hex') },
  };
}
