import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ReleaseView } from '../../domain/release.ts';
import { adoptUpdate, controlUpdates, releaseQuery } from '../../workflows/contract.ts';
import {
  approve,
  ended,
  expectServing,
  type Handle,
  lane,
  outcomes,
  released,
  rig,
  start,
  startRelease,
  world,
} from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);

/** `run.start` of the manifest and the 30 s until a lost instance is noticed. */
const GRACE_SECONDS = 60;
/** Looks come every 8 s: none is under way at the end, when the server's clock would stop for one that is cancelled. */
const LONG_SECONDS = 202;
const OLD = '/prod/sample/r1';
const NEW = '/prod/sample/r2';
const WHY = { by: 'bob', reason: 'a test' };

beforeEach(async () => {
  await start();
  await released('1.0.0');
  const { release } = MANIFEST;
  const canary = release.canary.map((entry) => (entry.kind === 'hold' ? { ...entry, seconds: LONG_SECONDS } : entry));
  world.manifest = { ...MANIFEST, release: { ...release, canary, bakeSeconds: LONG_SECONDS } };
  world.looksEvery = '8s';
});
afterEach(() => rig.stop());

const stepOf = (view: ReleaseView) => view.steps.find(({ outcome }) => outcome === 'running')?.id;

/** Lets time pass until the release is there. */
async function passes(handle: Handle, what: (view: ReleaseView) => boolean): Promise<ReleaseView> {
  for (let seconds = 0; seconds < 5 * LONG_SECONDS; seconds += 4) {
    const view = await handle.query(releaseQuery);
    if (what(view)) return view;
    await rig.passTime('4s');
  }
  throw new Error(`it did not get there: ${JSON.stringify(await handle.query(releaseQuery))}`);
}

/** A release of a second version that has got to a step. */
async function at(step: string): Promise<Handle> {
  const handle = await startRelease('2.0.0');
  await approve(handle);
  await passes(handle, (view) => stepOf(view) === step);
  return handle;
}

async function expectWayBack(handle: Handle, step: string): Promise<ReleaseView> {
  const { outcome, view } = await ended(handle, '4s');
  expect(outcome).toBe('rolled-back');
  expect(view.failure).toMatchObject({ type: 'InstancesUnhealthy', step });
  expect(outcomes(view)[step]).toBe('failed');
  await expectServing('1.0.0', 'r1', 4);
  const { vetoes } = (await lane('prod')).state;
  expect(vetoes).toMatchObject([{ bundle: view.bundle?.id, reason: view.failure?.message }]);
  return view;
}

describe('a new revision whose instances turn ill in production', () => {
  it('goes back by itself from the bake, with the traffic first', async () => {
    const handle = await at('bake-prod');
    await rig.passTime('30s');
    world.ill.set(NEW, 3);
    const before = world.effects.length;
    const illAt = Date.parse((await handle.query(releaseQuery)).wait?.since ?? '') + 30_000;
    const { failure, rollbacks } = await expectWayBack(handle, 'bake-prod');
    expect(failure?.message).toMatch(
      /^r2 in prod has 1 of 4 instances healthy, and too few since \S+Z, longer than the 60 s that replacing one may take: 3 have a red check$/,
    );
    expect(world.effects[before]).toMatch(/^traffic prod r1=100/);
    const seconds = (Date.parse(rollbacks[0]?.decidedAt ?? '') - illAt) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(GRACE_SECONDS);
    // Two looks later, and what a slow machine takes for them.
    expect(seconds).toBeLessThan(2 * GRACE_SECONDS);
  });

  it('goes back from a hold, and no judge has spoken', async () => {
    const handle = await at('hold-prod');
    world.ill.set(NEW, 1);
    const { verdicts } = await expectWayBack(handle, 'hold-prod');
    expect(verdicts).toEqual([]);
  });

  it('goes back while a pause holds up what comes next', async () => {
    const handle = await at('hold-prod');
    await handle.executeUpdate(controlUpdates.pause, { args: [WHY] });
    const { wait } = await passes(handle, (view) => view.wait?.reason === 'paused');
    expect(wait?.sentence).toContain('held up');
    world.ill.set(NEW, 1);
    await expectWayBack(handle, 'shift-prod-2');
  });

  it('goes back while a hand-made change waits to be resolved', async () => {
    const handle = await at('bake-prod');
    const app = world.apps.get(NEW);
    if (app) app.instances = 2;
    await passes(handle, ({ drift }) => drift !== undefined);
    world.ill.set(NEW, 1);
    const { failure } = await expectWayBack(handle, 'bake-prod');
    expect(failure?.message).toContain('r2 in prod has 1 of 2 instances healthy');
  });

  it('is not taken for ill when it was scaled down by hand, and that was adopted', async () => {
    const handle = await at('bake-prod');
    const app = world.apps.get(NEW);
    if (app) app.instances = 2;
    await passes(handle, ({ drift }) => drift !== undefined);
    await handle.executeUpdate(adoptUpdate, { args: [WHY] });
    expect((await ended(handle, '4s')).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 2);
  });

  it('goes on when what was lost is replaced in time, and whatever the old one does', async () => {
    const handle = await at('hold-prod');
    world.ill.set(OLD, 4);
    await rig.passTime('10s');
    world.ill.set(NEW, 1);
    await rig.passTime('30s');
    world.ill.delete(NEW);
    await passes(handle, (view) => stepOf(view) === 'bake-prod');
    world.ill.set(NEW, 2);
    await rig.passTime('30s');
    world.ill.delete(NEW);
    expect((await ended(handle, '4s')).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 4);
  });
});

describe('an instance that is lost right before the next effect', () => {
  /** A release that was paused in the bake, and goes on with one instance less. */
  async function lostBeforeTheNextEffect() {
    const handle = await at('bake-prod');
    await handle.executeUpdate(controlUpdates.pause, { args: [WHY] });
    await passes(handle, (view) => view.wait?.reason === 'paused');
    world.ill.set(NEW, 1);
    await handle.executeUpdate(controlUpdates.resume, { args: [WHY] });
    return handle;
  }

  it('holds that up until there is another one', async () => {
    const handle = await lostBeforeTheNextEffect();
    const { wait } = await passes(handle, (view) => view.wait?.reason === 'health');
    expect(wait?.sentence).toMatch(
      /^r2 in prod has 3 of 4 instances healthy, and too few since \S+; held up: Remove r1/,
    );
    await rig.passTime('20s');
    expect(world.apps.has(OLD)).toBe(true);
    world.ill.delete(NEW);
    expect((await ended(handle, '4s')).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 4);
  });

  it('holds it up until the release goes back', async () => {
    const handle = await lostBeforeTheNextEffect();
    await expectWayBack(handle, 'retire-prod');
  });
});
