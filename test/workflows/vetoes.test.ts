/** A bundle that was rolled back somewhere does not come there again until somebody lets it. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { LedgerEntry } from '../../domain/ledger.ts';
import {
  abortUpdate,
  laneWorkflowId,
  liftVetoUpdate,
  releaseWorkflowId,
  rollbackUpdate,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { rollback } from '../../workflows/rollback.ts';
import {
  approve,
  ended,
  expectServing,
  lane,
  released,
  rig,
  start,
  startInRealTime,
  startRelease,
  until,
  waitsForApproval,
  world,
} from './release-rig.ts';

jest.setTimeout(300_000);
afterEach(() => rig?.stop());

const vetoes = async (environment = 'prod') => (await lane(environment)).state.vetoes ?? [];
const lift = (bundle: string, by = 'bob') =>
  rig.client
    .getHandle(laneWorkflowId('prod', 'sample'))
    .executeUpdate(liftVetoUpdate, { args: [{ bundle, by, reason: 'it was the database' }] });
const toldOf = (teller: string): readonly LedgerEntry[] =>
  [...world.ledger].filter(([key]) => key.startsWith(`${teller} `)).map(([, entry]) => entry);

/** Version 1 serves, version 2 was a bad canary. */
async function rolledBack() {
  await released('1.0.0');
  world.errorPercent = { '2.0.0': 20 };
  const handle = await startRelease('2.0.0');
  await approve(handle);
  const { outcome, view } = await ended(handle);
  expect(outcome).toBe('rolled-back');
  return view;
}

/** The same bundle again, by another release. */
async function again(key: string) {
  const handle = await startRelease('2.0.0', {}, key);
  await until(handle, (view) => waitsForApproval(view) || view.outcome !== undefined);
  return handle;
}

describe('a bundle that was rolled back', () => {
  beforeEach(start);

  it('is vetoed where that was, with why, and the ledger knows', async () => {
    const view = await rolledBack();
    expect(await vetoes()).toEqual([
      {
        bundle: view.bundle?.id,
        version: '2.0.0',
        release: 'release/sample/2.0.0',
        reason: view.failure?.message,
        at: expect.any(String),
      },
    ]);
    expect(await vetoes('fat')).toEqual([]);
    expect(toldOf('release/sample/2.0.0')).toContainEqual(
      expect.objectContaining({ kind: 'vetoed', environment: 'prod', veto: (await vetoes())[0] }),
    );
  });

  it('is refused when it comes to production again, before anything is touched there', async () => {
    await rolledBack();
    world.errorPercent = {};
    const handle = await again('again');
    await approve(handle);
    world.effects.length = 0;
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'Vetoed' });
    expect(view.failure?.message).toMatch(
      /^2\.0\.0 \(b-[0-9a-f]+\) was taken back from prod by release\/sample\/2\.0\.0 at /,
    );
    // The plan has said so before.
    expect(view.plan?.vetoes).toMatchObject([{ environment: 'prod', sentence: view.failure?.message }]);
    expect(world.effects.filter((effect) => effect.includes('prod'))).toEqual([]);
    await expectServing('1.0.0', 'r1', 4);
    // Being refused is no new reason.
    expect(await vetoes()).toHaveLength(1);
  });

  it('comes again once somebody lifted it, and who did is in the ledger', async () => {
    const { bundle } = await rolledBack();
    world.errorPercent = {};
    expect(await lift(bundle?.id ?? '')).toMatchObject({ bundle: bundle?.id, version: '2.0.0' });
    expect(await vetoes()).toEqual([]);
    const handle = await again('again');
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('released');
    expect((await lane('prod')).state.current?.bundle.version).toBe('2.0.0');
    expect(toldOf('lane/prod/sample')).toEqual([
      expect.objectContaining({ kind: 'veto-lifted', by: 'bob', reason: 'it was the database', environment: 'prod' }),
    ]);
  });

  it('is let go while a release holds the lane, and stays let go', async () => {
    const { bundle } = await rolledBack();
    const third = await startRelease('3.0.0');
    await approve(third);
    await until(third, ({ wait }) => wait?.reason === 'canary-figures');
    await lift(bundle?.id ?? '');
    expect((await ended(third)).outcome).toBe('released');
    expect(await vetoes()).toEqual([]);
  });

  it('has one veto, and nobody lifts what is not there', async () => {
    await rolledBack();
    const error = await lift('b-0000000000000000').catch((thrown: unknown) => thrown);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    expect(cause instanceof ApplicationFailure ? cause.type : error).toBe('UnknownVeto');
  });

  it('is vetoed by a rollback after its end as well', async () => {
    await released('1.0.0');
    const second = await released('2.0.0');
    const handle = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', 'back'),
      args: [{ key: 'back', service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'slow' }],
    });
    expect((await ended(handle)).outcome).toBe('rolled-back');
    expect(await vetoes()).toMatchObject([
      { bundle: second.view.bundle?.id, release: 'release/sample/back', reason: 'slow' },
    ]);
  });
});

describe('a person who ends a release', () => {
  beforeEach(startInRealTime);

  it.each([
    ['vetoes by a rollback', rollbackUpdate, 1],
    ['vetoes nothing by an abort', abortUpdate, 0],
  ] as const)('%s', async (_, update, count) => {
    await released('1.0.0');
    world.fail('setTraffic', 'hang', { when: ({ shares }: { shares: Record<string, number> }) => shares['r2'] === 50 });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, () => world.effects.includes('setTraffic hangs'));
    await handle.executeUpdate(update, { args: [{ by: 'bob', reason: 'stop' }] });
    await ended(handle);
    await expectServing('1.0.0', 'r1', 4);
    expect(await vetoes()).toHaveLength(count);
  });
});

describe('an integration environment', () => {
  beforeEach(startInRealTime);

  const inFat = (version: string, key?: string) => startRelease(version, { until: 'fat' }, key);
  async function goBack(key: string) {
    const handle = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', key),
      args: [{ key, service: 'sample', environment: 'fat', requestedBy: 'bob', reason: 'blank page' }],
    });
    const { outcome, view } = await ended(handle);
    return { outcome, type: view.failure?.type };
  }

  it('has vetoes too: of what was rolled back on its way, and of what was after its end', async () => {
    world.fail('runTest', 'hang');
    const first = await inFat('1.0.0');
    await until(first, () => world.effects.includes('runTest hangs'));
    await first.executeUpdate(rollbackUpdate, { args: [{ by: 'bob', reason: 'wrong branch' }] });
    expect((await ended(first)).outcome).toBe('rolled-back');
    expect(await vetoes('fat')).toMatchObject([{ version: '1.0.0', reason: 'bob: wrong branch' }]);
    const { outcome, view } = await ended(await inFat('1.0.0', 'again'));
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'Vetoed' });

    for (const version of ['2.0.0', '3.0.0']) expect((await ended(await inFat(version))).outcome).toBe('released');
    expect(await goBack('back-1')).toMatchObject({ outcome: 'rolled-back' });
    expect((await lane('fat')).state.current?.bundle.version).toBe('2.0.0');
    expect((await vetoes('fat')).map(({ version }) => version)).toEqual(['1.0.0', '3.0.0']);
    expect(await goBack('back-2')).toEqual({ outcome: 'failed', type: 'NothingToRollBackTo' });
  });
});

describe('a ledger that is away', () => {
  beforeEach(start);

  it('does not hold up who lifts a veto, nor the lane', async () => {
    const { bundle } = await rolledBack();
    let away = true;
    world.fail('writeLedger', 'unavailable', { times: Number.POSITIVE_INFINITY, when: () => away });
    await lift(bundle?.id ?? '');
    expect(await vetoes()).toEqual([]);
    expect(toldOf('lane/prod/sample')).toEqual([]);
    away = false;
    const deadline = Date.now() + 60_000;
    while (toldOf('lane/prod/sample').length === 0 && Date.now() < deadline) await rig.passTime('5s');
    expect(toldOf('lane/prod/sample')).toMatchObject([{ kind: 'veto-lifted', by: 'bob' }]);
  });
});
