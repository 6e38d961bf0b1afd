import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { bundleOf } from '../../domain/bundle.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { becomeCurrent, versionedWorker } from '../../workers/worker-version.ts';
import {
  approveUpdate,
  controlUpdates,
  laneWorkflowId,
  releaseQuery,
  releaseWorkflowId,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { release } from '../../workflows/release.ts';
import { installRuntime, startDevServer, workflowBundle } from '../workflow-rig.ts';
import { COMMIT, MANIFEST, World } from './world.ts';

const DEPLOYMENT = 'slipway';
const NAMESPACE = 'default';
const ENDED_WITHIN_MS = 120_000;
/** Far longer than another worker takes to start and become current: somebody ends it then. */
const BAKE_SECONDS = 3600;

describe('versions of the workflow code', () => {
  let env: TestWorkflowEnvironment;
  let world: World;
  const running: Promise<void>[] = [];
  const workers: Worker[] = [];

  beforeAll(async () => {
    installRuntime();
    env = await startDevServer();
    world = new World();
    const release = { ...MANIFEST.release, bakeSeconds: BAKE_SECONDS };
    world.manifest = { ...MANIFEST, environments: MANIFEST.environments.slice(1), tests: [], release };
  });

  afterAll(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await env?.teardown();
  });

  async function startWorker(buildId: string): Promise<void> {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      activities: world.activities(() => env.client.workflow),
      workflowBundle: await workflowBundle(),
      workerDeploymentOptions: versionedWorker({ deploymentName: DEPLOYMENT, buildId }),
      stickyQueueScheduleToStartTimeout: '1s',
    });
    workers.push(worker);
    running.push(worker.run());
  }

  const become = (buildId: string) => becomeCurrent(env.connection, NAMESPACE, { deploymentName: DEPLOYMENT, buildId });

  async function startRelease(version: string) {
    world.manifest = { ...world.manifest, version };
    const image = { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` };
    const bundle = bundleOf({
      service: 'sample',
      version,
      commit: COMMIT,
      image,
      testImages: {},
      configVersion: 0,
      manifestDigest: 'sha256:d',
    });
    return env.client.workflow.start<typeof release>('release', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', version),
      args: [
        {
          key: version,
          request: { service: 'sample', source: { kind: 'bundle', bundle }, requestedBy: 'ann', whenBusy: 'wait' },
        },
      ],
    });
  }

  type Handle = Awaited<ReturnType<typeof startRelease>>;

  async function waitsFor(handle: Handle, reason: string): Promise<ReleaseView> {
    const deadline = Date.now() + ENDED_WITHIN_MS;
    for (;;) {
      const view = await handle.query(releaseQuery);
      if (view.wait?.reason === reason) return view;
      if (Date.now() > deadline) throw new Error(`it never waited for ${reason}: ${JSON.stringify(view)}`);
    }
  }

  async function approve(handle: Handle): Promise<void> {
    const { plan } = await waitsFor(handle, 'approval');
    await handle.executeUpdate(approveUpdate, { args: [{ by: 'bob', planDigest: plan?.digest ?? '' }] });
  }

  /** Versions of the workers that did a run's workflow tasks, in their order, without repeats. */
  async function versionsOf(workflowId: string): Promise<string[]> {
    const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? [])
      .flatMap(({ workflowTaskCompletedEventAttributes: task }) => task?.deploymentVersion?.buildId ?? [])
      .filter((buildId, index, all) => buildId !== all[index - 1]);
  }

  it('a release ends in the version it began in; new ones and the lane move to the current version', async () => {
    await startWorker('one');
    expect(await become('one')).toBe(true);
    const first = await startRelease('1.0.0');
    await approve(first);
    await waitsFor(first, 'bake');

    await startWorker('two');
    expect(await become('two')).toBe(true);
    // A worker of an old version that starts again takes nothing over.
    expect(await become('one')).toBe(false);

    await first.executeUpdate(controlUpdates.skipHold, { args: [{ by: 'bob', reason: 'seen enough' }] });
    expect((await first.result()).outcome).toBe('released');
    const second = await startRelease('2.0.0');
    await approve(second);
    await second.terminate('seen enough');

    expect(await versionsOf(first.workflowId)).toEqual(['one']);
    expect(await versionsOf(second.workflowId)).toEqual(['two']);
    expect(await versionsOf(laneWorkflowId('prod', 'sample'))).toEqual(['one', 'two']);
  }, 300_000);
});
