/** A lane on a server of its own, the world in memory, and runs that stand for releases. */
import { expect } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { Bundle } from '../../domain/bundle.ts';
import type { LaneState } from '../../domain/lane.ts';
import { type RevisionSpec, revisionApp } from '../../domain/revision-app.ts';
import {
  type AdmissionRequest,
  admitSignal,
  type LaneInput,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  leaveSignal,
  scaleSignal,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { lane } from '../../workflows/lane.ts';
import { type RigOptions, startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { World } from './world.ts';

export const APP = '/prod/sample/r1';
const bundle: Bundle = {
  id: 'b-1',
  service: 'sample',
  version: '1.0.0',
  commit: 'c'.repeat(40),
  image: { repository: 'sample', digest: 'sha256:a' },
  testImages: {},
  configVersion: 0,
  manifestDigest: 'sha256:d',
};
const spec: RevisionSpec = {
  environment: 'prod',
  service: 'sample',
  revision: 'r1',
  bundle: 'b-1',
  image: '127.0.0.1:5000/sample@sha256:a',
  env: {},
  cpus: 0.1,
  memoryMiB: 64,
  healthPath: '/healthz',
  startSeconds: 30,
  instances: 0,
};
export const serving: LaneState = {
  environment: 'prod',
  service: 'sample',
  lastRevision: 1,
  current: { revision: 'r1', bundle, spec, instances: 2 },
  bounds: { min: 2, max: 6, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 },
  weights: { r1: 100 },
  configVersion: 0,
};

/** Of the test that runs; set by `start` and `startLane`. */
export let rig: WorkflowRig;
export let world: World;
export let handle: WorkflowHandle<typeof lane>;

export async function start(options?: RigOptions): Promise<void> {
  world = new World();
  rig = await startWorkflowRig(
    world.activities(() => rig.client),
    options,
  );
}

/** Starts the lane in a world that is as it says. */
export async function startLane(state: LaneState = serving): Promise<void> {
  const { bounds, current, weights } = state;
  if (current) {
    const app = revisionApp(current.spec);
    world.apps.set(app.id, { app, instances: current.instances });
  }
  if (weights) world.traffic.set('prod/sample', weights);
  if (bounds) world.bounds.set('prod/sample', bounds);
  if (state.configVersion) world.config.set('prod/sample', state.configVersion);
  const input: LaneInput = { environment: 'prod', service: 'sample', carried: { state, queue: [], wishes: [] } };
  handle = await rig.client.start<typeof lane>('lane', {
    taskQueue: TASK_QUEUE,
    workflowId: laneWorkflowId('prod', 'sample'),
    args: [input],
  });
  const args: [LaneInput] = [{ environment: 'nowhere', service: 'nothing' }];
  for (const workflowId of ['release/sample/a', 'release/sample/b', 'release/sample/c']) {
    await rig.client.start('lane', { taskQueue: TASK_QUEUE, workflowId, args });
  }
}

/** Runs that stand for releases: all that a lane needs of them is that they take its signal. */
export const asking = (holder: string) => ({
  holder: `release/sample/${holder}`,
  environment: 'prod',
  service: 'sample',
});
export const ask = (holder: string, whenBusy: AdmissionRequest['whenBusy'] = 'wait') =>
  handle.signal(admitSignal, { ...asking(holder), whenBusy });
export const leave = (holder: string, state?: LaneState) =>
  handle.signal(leaveSignal, { holder: `release/sample/${holder}`, ...(state ? { state } : {}) });

export async function until(what: (view: LaneView) => boolean, step?: '1s' | '30s'): Promise<LaneView> {
  const deadline = Date.now() + 60_000;
  let view = await handle.query(laneQuery);
  while (!what(view)) {
    if (Date.now() > deadline) throw new Error(`it did not get there: ${JSON.stringify(view)}`);
    if (step) await rig.passTime(step);
    view = await handle.query(laneQuery);
  }
  return view;
}

/** What a run was told by signals. */
export async function signalsOf(id: string): Promise<unknown[]> {
  const { events } = await rig.client.getHandle(id).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const attributes = event.workflowExecutionSignaledEventAttributes;
    const data = attributes?.input?.payloads?.[0]?.data;
    return attributes ? [JSON.parse(Buffer.from(data ?? []).toString())] : [];
  });
}

/** Waits until a run was sent as many signals, and holds them to these. */
export async function told(holder: string, signals: readonly unknown[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  const id = `release/sample/${holder}`;
  while ((await signalsOf(id)).length < signals.length && Date.now() < deadline) await rig.passTime('1s');
  expect(await signalsOf(id)).toEqual(signals);
}

export const wish = (instances: number) =>
  handle.signal(scaleSignal, {
    wish: { instances, at: new Date(Date.now()).toISOString() },
    because: `the load asks for ${instances}`,
  });
