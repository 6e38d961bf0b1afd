/** The process that runs all workflows and the central activities. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { openLedger } from '../activities/ledger/client.ts';
import { TASK_QUEUE } from '../workflows/contract.ts';
import { createCentralActivities } from './central-activities.ts';
import { loadConfiguration } from './configuration.ts';
import { ledgerPlace } from './ledger-place.ts';
import { installRuntime } from './runtime.ts';
import { ensureSchedules } from './schedules.ts';
import { becomeCurrent, versionedWorker, workflowBuildId } from './worker-version.ts';

/** Cancellation reaches an activity by the answer to a heartbeat; by default those are held back for up to 8 s. */
const HEARTBEAT_THROTTLE = '500ms';

/**
 * Temporal sends workflow tasks and queries to the worker that has the run in its cache; when that one has died, they
 * go to another after this time. The default of 10 s is longer than any of us waits for the answer to a query.
 */
const CACHED_RUN_WITHIN = '3s';

const log = installRuntime('orchestrator');
const configuration = loadConfiguration();
const { address, namespace, deployment } = configuration.temporal;
const version =
  deployment === undefined
    ? undefined
    : { deploymentName: deployment, buildId: workflowBuildId(join(import.meta.dirname, '..')) };
const cacheDir = process.env['SLIPWAY_CACHE'] ?? join(process.cwd(), '.slipway', 'cache');

const ledger = openLedger(ledgerPlace(configuration.ledger), (error) =>
  log.warn({ err: error }, 'a connection to the ledger broke'),
);
// Without it releases wait and rollbacks go on, so it holds up nothing here.
await ledger.use(async () => {}).catch((error: unknown) => log.error({ err: error }, 'the ledger does not answer'));

const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }), namespace });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: TASK_QUEUE,
  ...(version === undefined ? {} : { workerDeploymentOptions: versionedWorker(version) }),
  activities: createCentralActivities(configuration, client.workflow, ledger, join(cacheDir, 'git')),
  workflowBundle: await bundleWorkflowCode({
    workflowsPath: new URL('../workflows/index.ts', import.meta.url).pathname,
    logger: new DefaultLogger('WARN'),
  }),
  maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
  stickyQueueScheduleToStartTimeout: CACHED_RUN_WITHIN,
  workflowTaskPollerBehavior: { type: 'autoscaling' },
  activityTaskPollerBehavior: { type: 'autoscaling' },
  shutdownGraceTime: '20s',
  shutdownForceTime: '60s',
});
await ensureSchedules(client, configuration.schedules);
log.info({ taskQueue: TASK_QUEUE, address, ...version }, 'takes work');
const running = worker.run();
if (version && (await becomeCurrent(client.connection, namespace, version))) {
  log.info(version, 'new releases begin in this version of the workflow code');
}
await running;
await ledger.close();
await client.connection.close();
await connection.close();
