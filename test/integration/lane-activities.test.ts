import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Connection, WorkflowClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createLaneActivities, type LaneActivities, type LaneReading } from '../../activities/lane/activities.ts';
import { FailureType } from '../../domain/failures.ts';
import { laneWorkflowId, SearchAttribute, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { connectTemporal, type TemporalConnection } from '../temporal-connection.ts';
import { startTestServer } from '../test-server.ts';

jest.setTimeout(120_000);

/** Nothing polls it: what is started there runs, takes signals, and answers nothing. */
const UNATTENDED = 'unattended';

describe('the lane activities, on a real Temporal server', () => {
  let env: TestWorkflowEnvironment;
  let worker: Worker;
  let running: Promise<void>;
  let temporal: TemporalConnection | undefined;
  let client: WorkflowClient;
  let lanes: LaneActivities;

  beforeAll(async () => {
    const path = process.env['TEMPORAL_CLI_PATH'];
    if (!path)
      throw new Error('TEMPORAL_CLI_PATH is not set: run the tests by make, which installs the server and sets it');
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
    env = await startTestServer(() =>
      TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'existing-path', path },
          searchAttributes: Object.values(SearchAttribute),
        },
      }),
    );
    worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: new URL('../../workflows/lane.ts', import.meta.url).pathname,
        logger: new DefaultLogger('WARN'),
      }),
    });
    running = worker.run();
    temporal = await connectTemporal(env.address);
    client = new WorkflowClient({ connection: temporal.connection });
    lanes = createLaneActivities(client);
  });

  afterAll(async () => {
    worker?.shutdown();
    await running;
    await temporal?.close();
    await env?.teardown();
  });

  /** A workflow that runs until it is ended. */
  const park = (workflowId: string, type = 'parked') =>
    client.start(type, { workflowId, taskQueue: UNATTENDED, args: [] });

  const viewOf = (readings: LaneReading[], environment: string) => {
    const reading = readings.find((lane) => lane.environment === environment);
    return reading && 'view' in reading ? reading.view : undefined;
  };

  it('starts a lane by asking it, and asks once however often it is asked', async () => {
    const [first, second] = [await park('release/sample/first'), await park('release/sample/second')];
    const ask = (holder: string) =>
      lanes.askAdmission({ holder, service: 'sample', environment: 'fat', whenBusy: 'wait' });
    await ask(first.workflowId);
    await ask(first.workflowId);
    await ask(second.workflowId);
    await ask(second.workflowId);

    await until('the lane to be listed with the second release in its queue', async () => {
      const view = viewOf(await lanes.listLaneViews(), 'fat');
      return view?.holder === first.workflowId && view.queue.join() === second.workflowId;
    });

    await expect(lanes.describeHolder({ holder: first.workflowId })).resolves.toEqual({ running: true });
    await first.terminate();
    await expect(lanes.describeHolder({ holder: first.workflowId })).resolves.toEqual({ running: false });
    await expect(lanes.describeHolder({ holder: 'release/sample/never' })).resolves.toEqual({ running: false });
  });

  it('tells running lanes, starts none, and names those that do not run', async () => {
    const signal = { wish: { instances: 3, at: '2026-03-01T12:00:00.000Z' }, because: 'the load asks for 3' };
    const held = await park('release/sample/holder');
    await lanes.askAdmission({ holder: held.workflowId, service: 'sample', environment: 'uat', whenBusy: 'wait' });

    await expect(
      lanes.tellScale({
        wishes: [
          { environment: 'uat', service: 'sample', signal },
          { environment: 'uat', service: 'nobody', signal },
        ],
      }),
    ).resolves.toEqual({ notRunning: ['lane/uat/nobody'] });

    // A signal that meets a workflow task in flight enters the history when that task has ended.
    await until('both signals in the history', async () => {
      const { events } = await client.getHandle(laneWorkflowId('uat', 'sample')).fetchHistory();
      const names = events?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName).filter(Boolean);
      return names?.join() === 'admit,scale';
    });
  });

  it('reads the other lanes although one gives no answer', async () => {
    await park(laneWorkflowId('mute', 'sample'), WorkflowType.Lane);
    await until('the unattended lane to be listed', async () => {
      const { count } = await client.count(`WorkflowType = '${WorkflowType.Lane}' AND TaskQueue = '${UNATTENDED}'`);
      return count === 1;
    });
    // The first release was ended without leaving; the lane notices by itself, later.
    await expect(lanes.listLaneLoadFacts()).resolves.toEqual([
      { environment: 'fat', service: 'sample', holder: 'release/sample/first' },
      { environment: 'mute', service: 'sample', unreadable: expect.stringContaining('asking lane/mute/sample') },
      { environment: 'uat', service: 'sample', holder: 'release/sample/holder' },
    ]);
  });

  it('says so when Temporal is away, and when it refuses', async () => {
    const failureOf = async (workflow: WorkflowClient) => {
      const failure = await createLaneActivities(workflow)
        .describeHolder({ holder: 'release/sample/first' })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      if (!(failure instanceof ApplicationFailure)) throw new Error(`not a failure with a type: ${failure}`);
      return { type: failure.type, nonRetryable: failure.nonRetryable, message: failure.message };
    };
    await expect(
      failureOf(new WorkflowClient({ connection: env.connection, namespace: 'none' })),
    ).resolves.toMatchObject({
      type: FailureType.SystemRefused,
      nonRetryable: true,
    });
    // Port 1 of the loopback: nothing listens there.
    const away = Connection.lazy({ address: '127.0.0.1:1' });
    try {
      await expect(failureOf(new WorkflowClient({ connection: away }))).resolves.toMatchObject({
        type: FailureType.SystemUnavailable,
        nonRetryable: false,
        message: expect.stringContaining('looking for release/sample/first'),
      });
    } finally {
      await away.close();
    }
  });
});

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited 45 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
