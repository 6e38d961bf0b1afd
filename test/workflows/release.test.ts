import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type Duration } from '@temporalio/common';
import { bundleOf } from '../../domain/bundle.ts';
import type { ReleaseRequest, ReleaseView } from '../../domain/release.ts';
import {
  abortUpdate,
  approveUpdate,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  type ReleaseResult,
  rejectUpdate,
  releaseQuery,
  releaseWorkflowId,
  rollbackUpdate,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { release } from '../../workflows/release.ts';
import type { rollback } from '../../workflows/rollback.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { COMMIT, MANIFEST, World } from './world.ts';

jest.setTimeout(60_000);

let rig: WorkflowRig;
let world: World;

/** Time passes as a release asks for it. */
async function start(): Promise<void> {
  world = new World();
  rig = await startWorkflowRig(world.activities(() => rig.client));
}

/** Time passes as on the wall, so everything is short. For cancellation and retries. */
async function startInRealTime(): Promise<void> {
  world = new World();
  const { release } = MANIFEST;
  const canary = { ...release.canary, holdSeconds: 0.5 };
  world.manifest = { ...MANIFEST, release: { ...release, canary, bakeSeconds: 0.5 } };
  rig = await startWorkflowRig(
    world.activities(() => rig.client),
    { server: 'dev' },
  );
}

afterEach(() => rig.stop());

type Handle = WorkflowHandleWithStartDetails<typeof release>;

/** Starts a release of a version that was built before, so that each test is about what comes after the build. */
async function startRelease(version: string, over: Partial<ReleaseRequest> = {}): Promise<Handle> {
  world.manifest = { ...world.manifest, version };
  const image = { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` };
  const bundle = bundleOf({
    service: 'sample',
    version,
    commit: COMMIT,
    image,
    testImages: { contract: image },
    configVersion: over.configVersion ?? 0,
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
    workflowId: releaseWorkflowId('sample', version),
    args: [{ key: version, request }],
  });
}

/** Asks until the release is there; it gets there without time passing. */
async function until(handle: Handle, what: (view: ReleaseView) => boolean): Promise<ReleaseView> {
  const deadline = Date.now() + 20_000;
  let last: ReleaseView | undefined;
  while (Date.now() < deadline) {
    last = await handle.query(releaseQuery);
    if (what(last)) return last;
  }
  throw new Error(`it did not get there: ${JSON.stringify(last, null, 1)}`);
}

/** Lets time pass until the run has ended. */
async function ended(handle: { query: Handle['query']; result(): Promise<ReleaseResult> }, step: Duration = '1s') {
  const deadline = Date.now() + 30_000;
  while ((await handle.query(releaseQuery)).outcome === undefined) {
    if (Date.now() > deadline) throw new Error(`it did not end: ${JSON.stringify(await handle.query(releaseQuery))}`);
    await rig.passTime(step);
  }
  return handle.result();
}

const waitsForApproval = (view: ReleaseView) => view.wait?.reason === 'approval';

async function approve(handle: Handle, by = 'bob'): Promise<void> {
  const { plan } = await until(handle, waitsForApproval);
  await handle.executeUpdate(approveUpdate, { args: [{ by, planDigest: plan?.digest ?? '' }] });
}

/** A release that goes through whole. */
async function released(version: string, over: Partial<ReleaseRequest> = {}): Promise<ReleaseResult> {
  const handle = await startRelease(version, over);
  await approve(handle);
  const result = await ended(handle);
  expect(result.view.failure).toBeUndefined();
  expect(result.outcome).toBe('released');
  return result;
}

const lane = (environment: string): Promise<LaneView> =>
  rig.client.getHandle(laneWorkflowId(environment, 'sample')).query(laneQuery);

/** What must be true of production whenever nothing moves: one revision, all traffic on it, nothing else. */
async function expectServing(version: string, revision: string, instances: number): Promise<void> {
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

const outcomes = (view: ReleaseView) => Object.fromEntries(view.steps.map(({ id, outcome }) => [id, outcome]));

describe('a release that goes through', () => {
  it('takes the first version to production, without a canary, and binds its names', async () => {
    await start();
    const { view } = await released('1.0.0');
    expect(outcomes(view)).toEqual({
      'deploy-fat': 'done',
      'test-fat': 'done',
      promote: 'done',
      'approve-prod': 'done',
      'shift-prod-100': 'done',
      'bake-prod': 'done',
      'retire-prod': 'done',
    });
    await expectServing('1.0.0', 'r1', 4);
    expect(world.traffic.get('fat/sample')).toEqual({ r1: 100 });
    expect(world.tags.get('v1.0.0')).toBe(`sha256:${'a'.repeat(64)}`);
    expect(world.bounds.get('prod/sample')).toEqual(MANIFEST.scale);
    expect(world.notices.map(({ kind }) => kind)).toEqual(['approval', 'ended']);
  });

  it('takes the next version by canary and batches, capacity always before weight', async () => {
    await start();
    await released('1.0.0');
    world.effects.length = 0;
    const { view } = await released('2.0.0');
    await expectServing('2.0.0', 'r2', 4);
    expect(world.effects.filter((effect) => effect.includes('prod'))).toEqual([
      'create /prod/sample/r2',
      'scale /prod/sample/r2 1',
      'traffic prod r1=90 r2=10',
      'scale /prod/sample/r2 2',
      'traffic prod r1=50 r2=50',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1',
    ]);
    expect(view.verdicts.at(-1)).toMatchObject({ result: 'pass' });
    expect((await lane('prod')).state.previous).toMatchObject({ revision: 'r1', bundle: { version: '1.0.0' } });
  });

  it('runs the config version it names, and makes it current', async () => {
    await start();
    world.config.set('prod/sample', 6);
    const { view } = await released('1.0.0', { configVersion: 7 });
    expect(world.apps.get('/prod/sample/r1')?.app.env['SLIPWAY_CONFIG_KEY']).toBe('cfg/prod/sample/v/7');
    expect(world.config.get('prod/sample')).toBe(7);
    expect(view.plan?.configVersion).toBe(7);
  });

  it('survives calls that fail although they were applied, and doubles nothing', async () => {
    await startInRealTime();
    await released('1.0.0');
    const changing = ['ensureRevision', 'scaleRevision', 'setTraffic', 'promoteImage', 'deleteRevision'];
    for (const activity of changing) world.fail(activity, 'applied-but-unavailable');
    await released('2.0.0');
    await expectServing('2.0.0', 'r2', 4);
  });
});

describe('a release that does not go through', () => {
  it('takes a bad canary back by itself', async () => {
    await start();
    await released('1.0.0');
    world.errorPercent = { '2.0.0': 20 };
    world.effects.length = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('rolled-back');
    expect(view.failure).toMatchObject({ type: 'CanaryFailed', step: 'canary-prod' });
    expect(outcomes(view)).toMatchObject({
      'canary-prod': 'failed',
      'shift-prod-100': 'skipped',
      'rollback-prod': 'done',
    });
    const production = world.effects.filter((effect) => effect.includes('prod'));
    expect(production.slice(-2)).toEqual(['traffic prod r1=100', 'delete /prod/sample/r2']);
    expect(view.rollbacks).toMatchObject([{ environment: 'prod', trafficAt: expect.any(String) }]);
    await expectServing('1.0.0', 'r1', 4);
  });

  it('takes a canary back that nobody can judge', async () => {
    await start();
    await released('1.0.0');
    world.requests = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(view.failure).toMatchObject({ type: 'CanaryInconclusive', step: 'canary-prod' });
    expect(outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('restores the environment in which tests failed', async () => {
    await start();
    await released('1.0.0');
    world.testFailures = 1;
    const { outcome, view } = await ended(await startRelease('2.0.0'));
    expect(outcome).toBe('failed');
    expect(view.failure).toMatchObject({ type: 'TestsFailed', step: 'test-fat' });
    expect(world.traffic.get('fat/sample')).toEqual({ r1: 100 });
    expect([...world.apps.keys()]).toEqual(['/prod/sample/r1', '/fat/sample/r1']);
    expect((await lane('fat')).state.current?.bundle.version).toBe('1.0.0');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('leaves nothing of a first version whose tests failed', async () => {
    await start();
    world.testFailures = 1;
    const { outcome } = await ended(await startRelease('1.0.0'));
    expect(outcome).toBe('failed');
    expect(world.apps.size).toBe(0);
    expect(world.traffic.size).toBe(0);
    expect(world.names.size).toBe(0);
  });

  it('restores everything when instances do not become healthy in the middle of the rollout', async () => {
    await start();
    await released('1.0.0');
    world.fail('scaleRevision', 'unhealthy', {
      when: ({ appId, instances }: { appId: string; instances: number }) =>
        appId === '/prod/sample/r2' && instances === 4,
    });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('rolled-back');
    expect(view.failure).toMatchObject({ type: 'RevisionUnhealthy', step: 'shift-prod-100' });
    expect(outcomes(view)).toMatchObject({ 'canary-prod': 'undone', 'shift-prod-50': 'undone' });
    await expectServing('1.0.0', 'r1', 4);
  });

  it('goes back although going back fails at first, and says so meanwhile', async () => {
    await start();
    await released('1.0.0');
    world.errorPercent = { '2.0.0': 20 };
    world.fail('deleteRevision', 'refused', {
      times: 2,
      when: ({ appId }: { appId: string }) => appId === '/prod/sample/r2',
    });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('says what is wrong with a request that names nothing', async () => {
    await start();
    const { outcome, view } = await ended(await startRelease('1.0.0', { until: 'mars' }));
    expect(outcome).toBe('failed');
    expect(view.failure).toMatchObject({ type: 'UnknownEnvironment', message: expect.stringContaining('mars') });
  });

  it('ends as failed when nobody approves in time, with nothing changed', async () => {
    await start();
    const { outcome, view } = await ended(await startRelease('1.0.0'), '10m');
    expect(outcome).toBe('failed');
    expect(view.failure).toMatchObject({ type: 'ApprovalExpired', step: 'approve-prod' });
    expect([...world.apps.keys()]).toEqual(['/fat/sample/r1']);
  });
});

describe('people', () => {
  async function refusal(update: Promise<unknown>): Promise<string | undefined | null> {
    const error = await update.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    return cause instanceof ApplicationFailure ? cause.type : undefined;
  }

  it('may not approve their own release, another plan, or twice by one click', async () => {
    await start();
    world.manifest = { ...MANIFEST, release: { ...MANIFEST.release, approvals: { count: 2, expiresSeconds: 60 } } };
    const handle = await startRelease('1.0.0');
    const { plan } = await until(handle, waitsForApproval);
    const planDigest = plan?.digest ?? '';
    const click = (by: string, digest: string, updateId?: string) =>
      handle.executeUpdate(approveUpdate, {
        args: [{ by, planDigest: digest }],
        ...(updateId === undefined ? {} : { updateId }),
      });
    expect(await refusal(click('ann', planDigest))).toBe('SelfApproval');
    expect(await refusal(click('bob', 'sha256:other'))).toBe('PlanDigestMismatch');
    const first = await click('bob', planDigest, 'click-1');
    expect(await click('bob', planDigest, 'click-1')).toEqual(first);
    expect(await refusal(click('bob', planDigest))).toBe('AlreadyApproved');
    expect((await handle.query(releaseQuery)).approvals).toHaveLength(1);
    await click('cat', planDigest);
    expect((await ended(handle)).outcome).toBe('released');
  });

  it('may abort while it waits for approval: nothing of production has changed', async () => {
    await startInRealTime();
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await until(handle, waitsForApproval);
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'not today' }] });
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('aborted');
    expect(view.failure?.message).toBe('bob: not today');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('may refuse an approval, and only when one is waited for', async () => {
    await startInRealTime();
    const handle = await startRelease('1.0.0');
    await until(handle, waitsForApproval);
    await handle.executeUpdate(rejectUpdate, { args: [{ by: 'bob', reason: 'no' }] });
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'aborted', type: 'ApprovalRejected' });
  });

  it('may not roll back what has changed nothing yet', async () => {
    await start();
    const handle = await startRelease('1.0.0');
    await until(handle, waitsForApproval);
    const command = { args: [{ by: 'bob', reason: 'back' }] } as const;
    expect(await refusal(handle.executeUpdate(rollbackUpdate, { args: [...command.args] }))).toBe(
      'NothingToRollBackTo',
    );
  });

  it('may abort in the middle of an activity: it ends first, then everything goes back', async () => {
    await startInRealTime();
    await released('1.0.0');
    world.fail('setTraffic', 'hang', { when: ({ shares }: { shares: Record<string, number> }) => shares['r2'] === 50 });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const running = (view: ReleaseView) => outcomes(view)['shift-prod-50'] === 'running';
    await until(handle, (view) => running(view) && world.effects.includes('scale /prod/sample/r2 2'));
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'stop' }] });
    expect((await ended(handle)).outcome).toBe('aborted');
    await expectServing('1.0.0', 'r1', 4);
  });
});

describe('two releases', () => {
  it('are admitted one after the other; the later one finds production changed and says so', async () => {
    await start();
    await released('1.0.0');
    const second = await startRelease('2.0.0');
    await until(second, waitsForApproval);
    const third = await startRelease('3.0.0');
    await until(third, waitsForApproval);
    await approve(second);
    expect((await ended(second)).outcome).toBe('released');
    await approve(third);
    const { outcome, view } = await ended(third);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'PlanOutdated' });
    await expectServing('2.0.0', 'r2', 4);
  });
});

describe('a rollback after the end', () => {
  async function goBack(key: string): Promise<ReleaseResult> {
    const handle = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', key),
      args: [{ key, service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'customers complain' }],
    });
    return ended(handle);
  }

  it('brings the bundle before back as a new revision, with as many instances as serve now', async () => {
    await start();
    await released('1.0.0');
    await released('2.0.0');
    const { outcome, view } = await goBack('back-1');
    expect(outcome).toBe('rolled-back');
    expect(view.rollbacks).toMatchObject([{ environment: 'prod', reason: 'customers complain' }]);
    await expectServing('1.0.0', 'r3', 4);
  });

  it('does not go back twice to the version it came from', async () => {
    await start();
    await released('1.0.0');
    await released('2.0.0');
    await goBack('back-1');
    const { outcome, view } = await goBack('back-2');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'NothingToRollBackTo' });
    await expectServing('1.0.0', 'r3', 4);
  });
});
