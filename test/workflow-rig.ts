import { WorkflowClient } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { SearchAttribute, TASK_QUEUE } from '../workflows/contract.ts';
import { KeptRuns } from './replay/kept-runs.ts';
import { connectTemporal, type TemporalConnection } from './temporal-connection.ts';
import { startTestServer } from './test-server.ts';

/** A worker with our workflows on a server of its own: a wedged clock harms no other test. */
export interface WorkflowRig {
  /**
   * Skips no time by itself. The client that does, jumps to the next timer of any run while it waits for a result, and
   * when the run it waits for has just ended, that timer is the end of a lane's life, ten years on.
   */
  readonly client: WorkflowClient;
  /** Lets so much time pass: at once on the time-skipping server. @param duration such as `10s` */
  passTime(duration: Duration): Promise<void>;
  /** Ends worker and server. */
  stop(): Promise<void>;
}

export interface RigOptions {
  /**
   * `time-skipping` (default) for timers and policy. `dev` for cancellation: there the time-skipping server can wedge
   * (sdk-typescript#1058).
   */
  readonly server?: 'time-skipping' | 'dev';
  /** After so many events a run on the `dev` server is told to continue as new; by default after 4,096. */
  readonly longHistory?: number;
  /** Further queues on which the same activities are taken. */
  readonly taskQueues?: readonly string[];
}

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The workflow bundle of the code under test, made once a test file. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: new URL('../workflows/index.ts', import.meta.url).pathname,
    logger: new DefaultLogger('WARN'),
  });
  return bundle;
}

/** Starts a rig. @param activities replacements at the activity border, by name */
export async function startWorkflowRig(activities: object, options: RigOptions = {}): Promise<WorkflowRig> {
  installRuntime();
  const env = await (options.server === 'dev' ? startDevServer(options.longHistory) : startTimeSkippingServer());
  const workers: Worker[] = [];
  const folder = process.env['SLIPWAY_HISTORIES'];
  const kept = folder === undefined ? undefined : new KeptRuns(folder);
  let temporal: TemporalConnection;
  try {
    temporal = await connectTemporal(env.address);
    for (const taskQueue of [TASK_QUEUE, ...(options.taskQueues ?? [])]) {
      workers.push(
        await Worker.create({
          connection: env.nativeConnection,
          taskQueue,
          activities,
          maxHeartbeatThrottleInterval: '500ms',
          // In production an error of ours halts the run until it is mended; a test shall fail at once.
          ...(taskQueue === TASK_QUEUE
            ? { workflowBundle: await workflowBundle(), workflowFailureErrorTypes: { '*': ['Error'] } }
            : {}),
        }),
      );
    }
  } catch (error) {
    await env.teardown();
    throw error;
  }
  const running = workers.map((worker) => worker.run());
  return {
    client: new WorkflowClient({
      connection: temporal.connection,
      ...(kept ? { interceptors: [kept.interceptor] } : {}),
    }),
    passTime: (duration) => env.sleep(duration),
    async stop() {
      await kept?.write(env.address);
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await temporal.close();
      await env.teardown();
    },
  };
}

async function startTimeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const path = executable('TEMPORAL_TEST_SERVER_PATH');
  const env = await startTestServer(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(SearchAttribute).map(({ name }) => [name, KEYWORD])),
  });
  return env;
}

/** The server of `temporal server start-dev`, with our search attributes. @param longHistory as in `RigOptions` */
export function startDevServer(longHistory = 4096): Promise<TestWorkflowEnvironment> {
  const path = executable('TEMPORAL_CLI_PATH');
  return startTestServer(() =>
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        searchAttributes: Object.values(SearchAttribute),
        // The default holds every workflow task for up to 50 ms.
        extraArgs: [
          ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
          ...['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${longHistory}`],
        ],
      },
    }),
  );
}

function executable(variable: string): string {
  const path = process.env[variable];
  if (path) return path;
  throw new Error(`${variable} is not set: run the tests by make, which installs the servers and sets it`);
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

let installed = false;

/** Quiet, once a test file: what a test wants to know it asks. */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
}
