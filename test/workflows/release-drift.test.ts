import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ReleaseView } from '../../domain/release.ts';
import {
  abortUpdate,
  adoptUpdate,
  releaseQuery,
  releaseWorkflowId,
  revertUpdate,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { rollback } from '../../workflows/rollback.ts';
import {
  approve,
  ended,
  expectServing,
  type Handle,
  lane,
  released,
  rig,
  start,
  startRelease,
  until,
  world,
} from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);

const WHY = { by: 'bob', reason: 'it was late' };
const HOLD_SECONDS = 40;

beforeEach(async () => {
  await start();
  const { release } = MANIFEST;
  const canary = release.canary.map((entry) => (entry.kind === 'hold' ? { ...entry, seconds: HOLD_SECONDS } : entry));
  world.manifest = { ...MANIFEST, release: { ...release, canary, bakeSeconds: 40 } };
  await released('1.0.0');
  world.looksEvery = '8s';
});
afterEach(() => rig.stop());

function scaleByHand(revision: string, to: number): void {
  const found = world.apps.get(`/prod/sample/${revision}`);
  if (!found) throw new Error(`there is no ${revision}`);
  found.instances = to;
}

/** A release whose canary holds. */
async function holding(version: string): Promise<Handle> {
  const handle = await startRelease(version);
  await approve(handle);
  await until(handle, (view) => stepOf(view) === 'hold-prod');
  return handle;
}

const stepOf = (view: ReleaseView) => view.steps.find(({ outcome }) => outcome === 'running')?.id;

/** Lets time pass until the release is there. */
async function passes(handle: Handle, what: (view: ReleaseView) => boolean): Promise<ReleaseView> {
  for (let seconds = 0; seconds < 10 * HOLD_SECONDS; seconds += 2) {
    const view = await handle.query(releaseQuery);
    if (what(view)) return view;
    await rig.passTime('2s');
  }
  throw new Error(`it did not get there: ${JSON.stringify(await handle.query(releaseQuery))}`);
}

async function refusal(update: Promise<unknown>): Promise<unknown> {
  const error = await update.catch((thrown: unknown) => thrown);
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause.type : error;
}

const drifts = (view: ReleaseView) => view.drift !== undefined;

describe('a hand-made change while a release holds the lane', () => {
  it('is shown in the hold, holds up what comes next, and is put back when somebody says so', async () => {
    const handle = await holding('2.0.0');
    expect(await refusal(handle.executeUpdate(revertUpdate, { args: [WHY] }))).toBe('NoDrift');
    scaleByHand('r2', 3);
    const seen = await passes(handle, drifts);
    expect(stepOf(seen)).toBe('hold-prod');
    expect(seen.drift).toMatchObject({
      environment: 'prod',
      differences: [{ sentence: 'r2 was scaled by hand: 3 instances, not 1' }],
    });
    const before = world.effects.length;
    const { wait } = await passes(handle, (view) => view.wait?.reason === 'drift');
    expect(wait?.sentence).toContain(
      'sample in prod was changed by hand: r2 was scaled by hand: 3 instances, not 1; held up:',
    );
    await rig.passTime('1m');
    expect(world.effects.slice(before)).toEqual([]);
    await handle.executeUpdate(revertUpdate, { args: [WHY] });
    const { outcome } = await ended(handle);
    expect(outcome).toBe('released');
    expect(world.effects[before]).toBe('scale /prod/sample/r2 1');
    await expectServing('2.0.0', 'r2', 4);
  });

  it('is put back at once while the hold goes on', async () => {
    const handle = await holding('2.0.0');
    world.traffic.set('prod/sample', { r1: 20, r2: 80 });
    await passes(handle, drifts);
    await handle.executeUpdate(revertUpdate, { args: [WHY] });
    const view = await until(handle, (seen) => !drifts(seen));
    expect(stepOf(view)).toBe('hold-prod');
    expect(world.traffic.get('prod/sample')).toMatchObject({ r2: 10 });
  });

  it('is what is gone back to once it is adopted', async () => {
    const handle = await holding('2.0.0');
    scaleByHand('r1', 6);
    await passes(handle, drifts);
    await handle.executeUpdate(adoptUpdate, { args: [WHY] });
    await until(handle, (view) => !drifts(view));
    await handle.executeUpdate(abortUpdate, { args: [WHY] });
    expect((await ended(handle)).outcome).toBe('aborted');
    await expectServing('1.0.0', 'r1', 6);
  });

  it('can not be adopted where the plan or the bundle says what is to be', async () => {
    const handle = await holding('2.0.0');
    world.traffic.set('prod/sample', { r1: 20, r2: 80 });
    await passes(handle, drifts);
    expect(await refusal(handle.executeUpdate(adoptUpdate, { args: [WHY] }))).toBe('NotAdoptable');
    await handle.executeUpdate(revertUpdate, { args: [WHY] });
    await until(handle, (view) => !drifts(view));
  });

  it('is seen right before the next effect, and holds up no way back', async () => {
    world.looksEvery = '300 days';
    const handle = await holding('2.0.0');
    scaleByHand('r1', 2);
    await passes(handle, (view) => view.wait?.reason === 'drift');
    await handle.executeUpdate(abortUpdate, { args: [WHY] });
    expect((await ended(handle)).outcome).toBe('aborted');
    await expectServing('1.0.0', 'r1', 4);
    expect((await lane('prod')).drift).toBeUndefined();
  });

  it('that edits what is gone back to does not end the way back', async () => {
    const handle = await holding('2.0.0');
    const found = world.apps.get('/prod/sample/r1');
    if (found) found.app = { ...found.app, mem: 128 };
    world.fail('ensureRevision', 'refused');
    await handle.executeUpdate(abortUpdate, { args: [WHY] });
    expect((await ended(handle)).outcome).toBe('aborted');
    await expectServing('1.0.0', 'r1', 4);
  });
});

describe('a hand-made change between two effects of a shift', () => {
  /** The next release makes all its changes at once, and somebody else one of theirs while its instances start. */
  function whileItStarts(byHand: () => void): void {
    const { manifest } = world;
    world.manifest = { ...manifest, release: { ...manifest.release, strategy: 'blue-green' } };
    let isMade = false;
    const when = ({ app }: { app: { id: string } }) => {
      if (app.id === '/prod/sample/r2' && !isMade) byHand();
      isMade ||= app.id === '/prod/sample/r2';
      return false;
    };
    world.fail('ensureRevision', 'refused', { when });
  }

  const bounds = { min: 1, max: 99, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };
  it.each([
    ['traffic', () => world.traffic.set('prod/sample', { r1: 60, r0: 40 })],
    ['scale bounds', () => world.bounds.set('prod/sample', bounds)],
  ])('of the %s is not written over: the release says so, goes back, and bans nothing', async (_, byHand) => {
    whileItStarts(byHand);
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { view } = await ended(handle);
    expect(view).toMatchObject({ outcome: 'aborted', failure: { type: 'Drifted', step: 'shift-prod-2' } });
    expect(view.failure?.message).toContain('changed by hand');
    await expectServing('1.0.0', 'r1', 4);
    expect((await lane('prod')).state.vetoes ?? []).toEqual([]);
  });

  it('of the config version is not written over', async () => {
    await released('1.1.0', { configVersion: 1 });
    whileItStarts(() => {});
    world.fail('ensureRevision', 'refused', {
      when: ({ app }: { app: { id: string } }) => {
        if (app.id === '/prod/sample/r3') world.config.set('prod/sample', 9);
        return false;
      },
    });
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    const { view } = await ended(handle);
    expect(view).toMatchObject({ outcome: 'aborted', failure: { type: 'Drifted', step: 'shift-prod-2' } });
    expect(world.config.get('prod/sample')).toBe(1);
  });

  it('is written over on a way back after the end', async () => {
    await released('1.1.0');
    world.fail('ensureRevision', 'refused', {
      when: ({ app }: { app: { id: string } }) => {
        if (app.id === '/prod/sample/r3') world.traffic.set('prod/sample', { r2: 60, r0: 40 });
        return false;
      },
    });
    const back = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', 'back'),
      args: [
        { ...{ key: 'back', service: 'sample', environment: 'prod' }, requestedBy: 'ann', reason: 'it was better' },
      ],
    });
    expect((await ended(back)).outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r3', 4);
  });
});
