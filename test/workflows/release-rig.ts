/** A release on a server of its own, the world in memory: what every test of releases starts, waits for and looks at. */
import { expect } from '@jest/globals';
import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { bundleOf } from '../../domain/bundle.ts';
import type { ReleaseRequest, ReleaseView } from '../../domain/release.ts';
import {
  approveUpdate,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  type ReleaseResult,
  releaseQuery,
  releaseWorkflowId,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { release } from '../../workflows/release.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { COMMIT, MANIFEST, World } from './world.ts';

/** Of the test that runs; set by `start`. */
export let rig: WorkflowRig;
export let world: World;

/** Time passes as a release asks for it. */
export async function start(): Promise<void> {
  world = new World();
  rig = await startWorkflowRig(world.activities(() => rig.client));
}

/** Time passes as on the wall, so everything is short. For cancellation and retries. */
export async function startInRealTime(): Promise<void> {
  world = new World();
  const { release } = MANIFEST;
  const canary = release.canary.map((entry) => (entry.kind === 'hold' ? { ...entry, seconds: 0.5 } : entry));
  world.manifest = { ...MANIFEST, release: { ...release, canary, bakeSeconds: 0.5 } };
  rig = await startWorkflowRig(
    world.activities(() => rig.client),
    { server: 'dev' },
  );
}

export type Handle = WorkflowHandleWithStartDetails<typeof release>;

/** Starts a release of a version that was built before, so that each test is about what comes after the build. */
export async function startRelease(
  version: string,
  over: Partial<ReleaseRequest> = {},
  key: string = version,
): Promise<Handle> {
  world.manifest = { ...world.manifest, version };
  const image = { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` };
  const bundle = bundleOf({
    service: 'sample',
    version,
    commit: COMMIT,
    image,
    testImages: { contract: image, load: image },
    configVersion: 0,
    manifestDigest: 'sha256:d',
  });
  const request: ReleaseRequest = {
    service: 'sample',
    source: { kind: 'bundle', bundle },
    requestedBy: 'ann',
    whenBusy: 'wait',
    ...over,
  };
  return rig.client.start<typeof release>('release', {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId('sample', key),
    args: [{ key, request }],
  });
}

/**
 * Asks until the release is there; it gets there without time passing.
 * @throws {Error} with where it is instead, and the end of its history
 */
export async function until(
  handle: Pick<Handle, 'query' | 'fetchHistory'>,
  what: (view: ReleaseView) => boolean,
): Promise<ReleaseView> {
  const deadline = Date.now() + 120_000;
  let last: ReleaseView | undefined;
  while (Date.now() < deadline) {
    last = await handle.query(releaseQuery);
    if (what(last)) return last;
  }
  const { events } = await handle.fetchHistory();
  const end = events?.slice(-12).map(({ eventTime, eventType, ...attributes }) => ({
    at: new Date(Number(eventTime?.seconds) * 1000),
    type: eventType,
    ...attributes,
  }));
  throw new Error(`it did not get there: ${JSON.stringify(last, null, 1)}\n${JSON.stringify(end, undefined, 1)}`);
}

/** Lets time pass until the run has ended. */
export async function ended(
  handle: { query: Handle['query']; result(): Promise<ReleaseResult> },
  step: Duration = '1s',
) {
  const deadline = Date.now() + 200_000;
  while ((await handle.query(releaseQuery)).outcome === undefined) {
    if (Date.now() > deadline) throw new Error(`it did not end: ${JSON.stringify(await handle.query(releaseQuery))}`);
    await rig.passTime(step);
  }
  return handle.result();
}

export const waitsForApproval = (view: ReleaseView) => view.wait?.reason === 'approval';

export async function approve(handle: Handle, by = 'bob'): Promise<void> {
  const { plan } = await until(handle, waitsForApproval);
  await handle.executeUpdate(approveUpdate, { args: [{ by, planDigest: plan?.digest ?? '' }] });
}

/** A release that goes through whole. */
export async function released(version: string, over: Partial<ReleaseRequest> = {}): Promise<ReleaseResult> {
  const handle = await startRelease(version, over);
  await approve(handle);
  const result = await ended(handle);
  expect(result.view.failure).toBeUndefined();
  expect(result.outcome).toBe('released');
  return result;
}

export const lane = (environment: string): Promise<LaneView> =>
  rig.client.getHandle(laneWorkflowId(environment, 'sample')).query(laneQuery);

/** What must be true of production whenever nothing moves: one revision, all traffic on it, nothing else. */
export async function expectServing(version: string, revision: string, instances: number): Promise<void> {
  const apps = [...world.apps.values()].filter(({ app }) => app.id.startsWith('/prod/'));
  expect(apps.map(({ app, instances }) => ({ id: app.id, version: app.env['SLIPWAY_VERSION'], instances }))).toEqual([
    { id: `/prod/sample/${revision}`, version, instances },
  ]);
  expect(world.traffic.get('prod/sample')).toEqual({ [revision]: 100 });
  expect(world.names.get('prod/sample')).toBe('127.0.0.1:8002');
  const { state, holder, queue } = await lane('prod');
  expect({ holder, queue }).toEqual({ queue: [] });
  expect(state.current).toMatchObject({ revision, instances, bundle: { version } });
}

export const outcomes = (view: ReleaseView) => Object.fromEntries(view.steps.map(({ id, outcome }) => [id, outcome]));
