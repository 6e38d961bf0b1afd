import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { FaultClient } from '../../cell/faults/client.ts';
import { type Platform, startPlatform } from '../../local/platform/platform.ts';
import { createSampleRepository } from '../../local/sample/repository.ts';
import type { Change, Version, VersionName } from '../../local/sample/versions.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { connectTemporal } from '../temporal-connection.ts';

/** A whole platform, with a place to break what Slipway says to its neighbours and hears from them. */
export interface FaultPlatform {
  readonly platform: Platform;
  readonly temporal: Client;
  /** What Marathon does wrong. */
  readonly marathon: FaultClient;
  /** Between Slipway, builders and engines on one side and the registry on the other. */
  readonly registry: FaultProxy;
  /** Puts a version of the sample service on its main branch. @returns its commit */
  push(version: VersionName, changes?: Version['changes']): Promise<string>;
  /** The next builder that is started takes no work: it hangs before it asks for any. */
  hangNextBuilder(): void;
  /** A file that nobody else uses. */
  file(name: string): string;
  stop(): Promise<void>;
}

/** The sample service. */
export const SERVICE = 'sample';

/** What the tests need of the ways of a service: somewhere to test, somewhere to canary, and nothing that waits long. */
const ENVIRONMENTS = { fat: 'integration', prod: 'production' } as const;
const SHORT_WAY: readonly Change[] = [
  { find: '  uat:\n    instances: 1\n', put: '' },
  { find: 'environments: [fat, uat]', put: 'environments: [fat]' },
  { find: 'hold: 10s', put: 'hold: 3s' },
  { find: 'maxErrors: 10%, minRequests: 40', put: 'maxErrors: 20%, minRequests: 20' },
  { find: 'bake: 5s', put: 'bake: 2s' },
  // What clients catch up on after a stall is no reason for more instances.
  { find: 'requestsPerSecondPerInstance: 22', put: 'requestsPerSecondPerInstance: 200' },
];
/** A light load is enough for the judge when the canary gets a good part of it. */
const CANARY_WEIGHT: Change = { find: 'weight: 10%', put: 'weight: 40%' };

/** Longest time from the order of a builder to its first stage: far longer than a busy machine takes. */
const BUILDER_START_SECONDS = 180;

/** Hangs if it is the first to find the file, else becomes the builder. */
const MAYBE_HANG = 'if rm "$0" 2>/dev/null; then exec sleep 3600; fi; exec "$@"';

/**
 * Starts a platform in a directory of its own. Nothing of it is left after `stop()`.
 *
 * @param builderStartSeconds what a builder that hangs costs a test
 */
export async function startFaultPlatform({ builderStartSeconds = BUILDER_START_SECONDS } = {}): Promise<FaultPlatform> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-faults-'));
  const hangs = join(dir, 'hang-next-builder');
  const repository = await createSampleRepository(join(dir, 'sample.git'), { nodeVersion: process.versions.node });
  // The proxy stands before the platform does; where it leads is known when its configuration is.
  const registry = await startFaultProxy({ target: 'http://127.0.0.1' });
  const closeAll = async (): Promise<void> => {
    await registry.stop();
    rmSync(dir, { recursive: true });
  };
  try {
    const platform = await startPlatform({
      dir,
      log: () => {},
      faults: true,
      environments: ENVIRONMENTS,
      services: { [SERVICE]: { repository: `file://${repository.path}`, branch: 'main' } },
      configure: (configuration) => {
        const { builder } = configuration;
        registry.retarget(`http://${configuration.registry.address}`);
        return {
          ...configuration,
          registry: { ...configuration.registry, address: new URL(registry.url).host },
          builder: {
            ...builder,
            startSeconds: builderStartSeconds,
            command: ['/bin/sh', '-c', MAYBE_HANG, hangs, ...builder.command],
          },
        };
      },
    });
    const { address, namespace } = platform.systems.temporal;
    const { connection, close } = await connectTemporal(address);
    return {
      platform,
      temporal: new Client({ connection, namespace }),
      marathon: new FaultClient(platform.urls.marathon),
      registry,
      push: (version, changes = {}) =>
        repository.push(version, {
          ...changes,
          'slipway.yaml': [
            ...SHORT_WAY,
            ...(version === 'misdescribed' ? [] : [CANARY_WEIGHT]),
            ...(changes['slipway.yaml'] ?? []),
          ],
        }),
      hangNextBuilder: () => writeFileSync(hangs, ''),
      file: (name) => join(dir, name),
      stop: async () => {
        await close();
        await platform.stop();
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
