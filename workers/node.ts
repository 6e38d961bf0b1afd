/**
 * `node workers/node.ts`: the worker of one machine. It takes work that must happen on that machine, from the task
 * queue `host.<name>`: today the maintenance of the registry that runs there. `SLIPWAY_HOST` names the machine.
 */
import { hostname } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createMaintenanceActivities } from '../activities/registry/maintenance.ts';
import type { Configuration } from '../domain/schemas/config.ts';
import { hostTaskQueue } from '../workflows/contract.ts';
import { loadConfiguration } from './configuration.ts';
import { installRuntime } from './runtime.ts';

/** What the machine's own commands get to end when the worker is told to. */
const SHUTDOWN_MS = 10_000;

/** Runs until SIGTERM or SIGINT. */
async function runNode(configuration: Configuration, host: string): Promise<void> {
  const { temporal, registry } = configuration;
  const log = installRuntime('node');
  const connection = await NativeConnection.connect({ address: temporal.address });
  try {
    const worker = await Worker.create({
      connection,
      namespace: temporal.namespace,
      identity: `${process.pid}@${host}`,
      taskQueue: hostTaskQueue(host),
      activities: createMaintenanceActivities({
        commands: registry.maintenance,
        replicas: registry.replicas,
        storage: registry.storage,
      }),
      maxHeartbeatThrottleInterval: '500ms',
      shutdownGraceTime: 0,
      shutdownForceTime: SHUTDOWN_MS,
    });
    log.info({ taskQueue: hostTaskQueue(host), address: temporal.address }, 'takes work');
    await worker.run();
  } finally {
    await connection.close();
  }
}

try {
  const configuration = loadConfiguration();
  const host = process.env['SLIPWAY_HOST'] || hostname();
  if (host !== configuration.registry.host) {
    throw new Error(
      `this machine is "${host}", but the registry is on "${configuration.registry.host}": there is nothing to do here. Set SLIPWAY_HOST if the name is wrong`,
    );
  }
  await runNode(configuration, host);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
