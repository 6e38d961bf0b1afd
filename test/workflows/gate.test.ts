/** The one gate of a release: what holds up its forward effects, and that nothing holds up a way back. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WithStartWorkflowOperation, type WorkflowClient } from '@temporalio/client';
import type { FreezeList, FreezeScope } from '../../domain/freeze.ts';
import type { WindowTimes } from '../../domain/window.ts';
import { WEEKDAYS } from '../../domain/window.ts';
import {
  abortUpdate,
  controlUpdates,
  FREEZES_WORKFLOW_ID,
  freezesQuery,
  freezeUpdate,
  releaseWorkflowId,
  rollbackUpdate,
  TASK_QUEUE,
  unfreezeUpdate,
} from '../../workflows/contract.ts';
import type { freezes } from '../../workflows/freezes.ts';
import type { rollback } from '../../workflows/rollback.ts';
import {
  approve,
  ended,
  expectServing,
  type Handle,
  released,
  rig,
  start,
  startRelease,
  until,
  world,
} from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);

beforeEach(start);
afterEach(() => rig.stop());

/** Freezes as the API does: the workflow that keeps them may not run yet. */
function freeze(scope: FreezeScope, over: { until?: string } = {}): ReturnType<typeof freezeBy> {
  return freezeBy(rig.client, scope, over);
}

function freezeBy(client: WorkflowClient, scope: FreezeScope, over: { until?: string }) {
  return client.executeUpdateWithStart(freezeUpdate, {
    args: [{ scope, by: 'ops', reason: 'an incident', ...over }],
    startWorkflowOperation: new WithStartWorkflowOperation<typeof freezes>('freezes', {
      workflowId: FREEZES_WORKFLOW_ID,
      taskQueue: TASK_QUEUE,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{}],
    }),
  });
}

const unfreeze = (id: string) =>
  rig.client
    .getHandle(FREEZES_WORKFLOW_ID)
    .executeUpdate(unfreezeUpdate, { args: [{ id, by: 'ops', reason: 'mended' }] });
const word = (reason = 'lunch') => ({ args: [{ by: 'dan', reason }] }) as { args: [{ by: string; reason: string }] };

/** Until the release has been sent a list that is not empty. */
async function untilTold(handle: Handle): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { events } = await handle.fetchHistory();
    const lists = (events ?? [])
      .map((event) => event.workflowExecutionSignaledEventAttributes)
      .filter((signal) => signal?.signalName === 'freezesChanged')
      .map((signal): FreezeList => JSON.parse(Buffer.from(signal?.input?.payloads?.[0]?.data ?? []).toString()));
    if (lists.some(({ freezes }) => freezes.length > 0)) return;
    if (Date.now() > deadline) throw new Error('nobody told it of the freeze');
  }
}

/** A release in the last activity before it leaves an environment: what follows holds no lane. */
async function inTests(version: string): Promise<Handle> {
  world.fail('runTest', 'held');
  const handle = await startRelease(version);
  await until(handle, () => world.effects.includes('runTest is held'));
  return handle;
}

const isHeldBy = (reason: string) => (view: { wait?: { reason: string } }) => view.wait?.reason === reason;
const ofProd = () => world.effects.filter((effect) => effect.includes('prod'));

describe('a freeze', () => {
  it('between two activities of one step holds up the second until it is lifted', async () => {
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    world.fail('ensureRevision', 'held', {
      when: ({ app }: { app: { id: string } }) => app.id === '/prod/sample/r2',
    });
    await approve(handle);
    await until(handle, () => world.effects.includes('ensureRevision is held'));
    const { id } = await freeze({ environment: 'prod' });
    await untilTold(handle);
    world.letGo();
    const { wait } = await until(handle, isHeldBy('freeze'));
    expect(wait).toMatchObject({
      sentence: `everything in prod is frozen by ops: an incident (${id}); held up: Traffic of prod: 10 % to r2 on 1 instance`,
      endedBy: `a person who lifts the freeze ${id}`,
      atDeadline: 'the release goes back',
    });
    expect(Date.parse(wait?.deadline ?? '') - Date.parse(wait?.since ?? '')).toBe(7 * 86_400_000);
    const before = ofProd();
    await rig.passTime('10m');
    expect(ofProd()).toEqual(before);
    expect(before).toContain('create /prod/sample/r2');
    expect(world.traffic.get('prod/sample')).toEqual({ r1: 100 });
    await unfreeze(id);
    const { outcome } = await ended(handle);
    expect(outcome).toBe('released');
    expect(ofProd().filter((effect) => effect === 'create /prod/sample/r2')).toHaveLength(1);
    await expectServing('2.0.0', 'r2', 4);
  });

  it('that was there before holds up the first effect, and is over by itself at its end', async () => {
    const soon = new Date(Date.now() + 2 * 3_600_000).toISOString();
    await freeze({ service: 'sample' }, { until: soon });
    const handle = await startRelease('1.0.0');
    const { wait } = await until(handle, isHeldBy('freeze'));
    expect(wait).toMatchObject({ atDeadline: 'the release goes on' });
    expect(world.effects).toEqual([]);
    await rig.passTime('2h');
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('released');
  });

  it('elsewhere, or of another service, holds up nothing', async () => {
    await freeze({ environment: 'uat' });
    await freeze({ service: 'other' });
    await released('1.0.0');
  });

  it.each([
    ['an abort', abortUpdate, 'aborted'],
    ['a rollback', rollbackUpdate, 'rolled-back'],
  ] as const)('does not hold up %s', async (_, update, outcome) => {
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, ({ wait }) => wait?.reason === 'canary-figures');
    await freeze({});
    await untilTold(handle);
    await rig.passTime('15s');
    await until(handle, isHeldBy('freeze'));
    await handle.executeUpdate(update, word());
    expect((await ended(handle, '0s')).outcome).toBe(outcome);
    await expectServing('1.0.0', 'r1', 4);
  });

  it('holds up no way back: not from a bad canary, and not after the end', async () => {
    await released('1.0.0');
    await released('1.1.0');
    // Nobody is asked to decide before the release has heard of the freeze.
    world.requestsPerSecond = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, ({ wait }) => wait?.reason === 'canary-figures');
    await freeze({});
    await untilTold(handle);
    world.errorPercent = { '2.0.0': 60 };
    world.requestsPerSecond = 500;
    expect((await ended(handle)).view).toMatchObject({ outcome: 'rolled-back', failure: { type: 'CanaryFailed' } });
    await expectServing('1.1.0', 'r2', 4);
    const back = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', 'back'),
      args: [{ key: 'back', service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'slow' }],
    });
    expect((await ended(back)).outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r4', 4);
    expect((await rig.client.getHandle(FREEZES_WORKFLOW_ID).query(freezesQuery)).freezes).toHaveLength(1);
  });

  it('is not told to releases that have ended', async () => {
    await released('1.0.0');
    const kept = rig.client.getHandle(FREEZES_WORKFLOW_ID);
    const deadline = Date.now() + 60_000;
    while ((await kept.query(freezesQuery)).watchers > 0) {
      if (Date.now() > deadline) throw new Error('it is still watched');
    }
  });

  it('that lasts for a week sends the release back, and says nothing of the bundle', async () => {
    const handle = await inTests('1.0.0');
    await freeze({});
    await untilTold(handle);
    world.letGo();
    await until(handle, isHeldBy('freeze'));
    const { outcome, view } = await ended(handle, '1 day');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'aborted', type: 'HeldTooLong' });
    expect(world.tags.size).toBe(0);
  });
});

describe('a pause', () => {
  it('lets the hold go on, holds up the next effect, and ends when somebody resumes', async () => {
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, ({ wait }) => wait?.reason === 'canary-figures');
    await handle.executeUpdate(controlUpdates.pause, word());
    await rig.passTime('20s');
    const { paused, wait } = await until(handle, isHeldBy('paused'));
    expect(paused).toMatchObject({ name: 'pause', by: 'dan', reason: 'lunch' });
    expect(wait).toMatchObject({ endedBy: 'a person who resumes the release', atDeadline: 'the release goes back' });
    const before = ofProd();
    await rig.passTime('5s');
    expect(ofProd()).toEqual(before);
    expect(world.traffic.get('prod/sample')).toMatchObject({ r2: 10 });
    await handle.executeUpdate(controlUpdates.resume, word('back'));
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('released');
    expect(view.paused).toBeUndefined();
    expect(view.commands?.map(({ name, by }) => `${by} ${name}`)).toEqual(['dan pause', 'dan resume']);
    const told = [...world.ledger.values()].filter(({ kind }) => kind === 'command');
    expect(told).toMatchObject([{ command: { name: 'pause' } }, { command: { name: 'resume' } }]);
  });

  it('of a day sends the release back', async () => {
    const handle = await inTests('1.0.0');
    await handle.executeUpdate(controlUpdates.pause, word());
    world.letGo();
    await until(handle, isHeldBy('paused'));
    const { outcome, view } = await ended(handle, '6h');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'aborted', type: 'HeldTooLong' });
    expect(world.tags.size).toBe(0);
  });
});

/** Open from so many hours from now until so many. */
function open(from: number, to: number): WindowTimes {
  const text = (hours: number) => `${String((new Date().getUTCHours() + hours) % 24).padStart(2, '0')}:00`;
  return { days: WEEKDAYS, from: text(from), to: text(to), zone: 'UTC' };
}

describe('windows', () => {
  it('hold up what is done in their environment until they open', async () => {
    const windows = [{ ...open(2, 3), environments: ['prod'] }];
    world.manifest = { ...MANIFEST, release: { ...MANIFEST.release, windows } };
    const handle = await startRelease('1.0.0');
    await approve(handle);
    const { wait } = await until(handle, isHeldBy('window'));
    expect(wait).toMatchObject({ endedBy: 'time', atDeadline: 'the release goes on' });
    expect(wait?.deadline.slice(14)).toBe('00:00.000Z');
    expect(ofProd()).toEqual([]);
    expect(world.traffic.get('fat/sample')).toEqual({ r1: 100 });
    expect((await ended(handle, '30m')).outcome).toBe('released');
  });

  it('of an environment hold up every service there, beside those of its manifest', async () => {
    world.windows = [open(4, 10)];
    const windows = [{ ...open(2, 10), environments: ['prod'] }];
    world.manifest = { ...MANIFEST, release: { ...MANIFEST.release, windows } };
    const handle = await startRelease('1.0.0');
    await approve(handle);
    const { wait: first } = await until(handle, isHeldBy('window'));
    await rig.passTime('2h');
    const isNext = (view: { wait?: { deadline: string } }) => view.wait?.deadline !== first?.deadline;
    const { wait: second } = await until(handle, (view) => isHeldBy('window')(view) && isNext(view));
    expect(Date.parse(second?.deadline ?? '') - Date.parse(first?.deadline ?? '')).toBe(2 * 3_600_000);
    expect(ofProd()).toEqual([]);
    expect((await ended(handle, '30m')).outcome).toBe('released');
  });
});

describe('permission', () => {
  it('is refused, before anything is done, to whoever is not among the releasers', async () => {
    world.groups = { 'release-managers': ['bob', 'cat'] };
    world.releasers = 'release-managers';
    const { outcome, view } = await ended(await startRelease('1.0.0'), '0s');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'NotPermitted' });
    expect(world.effects).toEqual([]);
    await released('1.0.1', { requestedBy: 'cat' });
  });

  it('counts for the way that is asked for, not for the rest of it', async () => {
    world.groups = { 'release-managers': ['bob'] };
    world.releasers = 'release-managers';
    expect((await ended(await startRelease('1.0.0', { until: 'fat' }), '0s')).outcome).toBe('released');
  });
});
