import { WorkflowClient } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import { installRuntime, startDevServer } from '../../test/workflow-rig.ts';
import { TASK_QUEUE } from '../../workflows/contract.ts';

/** A Temporal of the bench's own, with one worker that has all workflows and these activities. */
export interface OwnServer {
  readonly client: WorkflowClient;
  stop(): Promise<void>;
}

/** @param activities what the worker does, by name; given the client of the server that is started */
export async function startOwnServer(activities: (client: () => WorkflowClient) => object): Promise<OwnServer> {
  const toolbox = await ensureToolbox(['temporal-cli'], () => {});
  process.env['TEMPORAL_CLI_PATH'] = toolbox.path('temporal-cli');
  installRuntime();
  const env = await startDevServer();
  const client = new WorkflowClient({ connection: env.connection });
  let worker: Worker;
  try {
    worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      activities: activities(() => client),
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: new URL('workflows.ts', import.meta.url).pathname,
        logger: new DefaultLogger('WARN'),
      }),
      maxHeartbeatThrottleInterval: '500ms',
      maxCachedWorkflows: 1000,
      workflowTaskPollerBehavior: { type: 'autoscaling' },
      activityTaskPollerBehavior: { type: 'autoscaling' },
    });
  } catch (error) {
    await env.teardown();
    throw error;
  }
  const running = worker.run();
  return {
    client,
    async stop() {
      worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}
