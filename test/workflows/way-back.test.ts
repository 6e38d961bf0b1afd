/** The way back holds wherever the way forward breaks off, and however the way back itself is disturbed. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { rollbackUpdate } from '../../workflows/contract.ts';
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
  world,
} from './release-rig.ts';
import type { Fault } from './world.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);
afterEach(() => rig?.stop());

const R2 = '/prod/sample/r2';
const BASELINE = '/prod/sample/r1-baseline';
const ofApp = (appId: string) => (input: { appId?: string; app?: { id: string } }) =>
  (input.appId ?? input.app?.id) === appId;
const inProd = ({ environment }: { environment: string }) => environment === 'prod';
const pointsTo = (wanted: number) => (input: { environment: string; version: number }) =>
  inProd(input) && input.version === wanted;
const share = (revision: string, percent: number) => (input: { environment: string; shares: Record<string, number> }) =>
  inProd(input) && input.shares[revision] === percent;

/** Version 1 with configuration 1 and the manifest's bounds is what must be there again, whole. */
async function versionOne(): Promise<void> {
  world.config.set('prod/sample', 1);
  world.config.set('fat/sample', 1);
  await released('1.0.0', { configVersion: 1 });
}

async function expectWhole(): Promise<void> {
  await expectServing('1.0.0', 'r1', 4);
  expect(world.config.get('prod/sample')).toBe(1);
  expect(world.bounds.get('prod/sample')).toEqual(MANIFEST.scale);
  const { state } = await lane('prod');
  expect(state).toMatchObject({ configVersion: 1, weights: { r1: 100 }, bounds: MANIFEST.scale, lastRevision: 2 });
}

/** Every activity that a release to production makes, once it is in there. */
const FORWARD: readonly (readonly [string, string, (input: never) => boolean])[] = [
  ['the canary can not be created', 'ensureRevision', ofApp(R2)],
  ['the baseline can not be created', 'ensureRevision', ofApp(BASELINE)],
  ['the canary does not start', 'scaleRevision', ofApp(R2)],
  ['the baseline does not start', 'scaleRevision', ofApp(BASELINE)],
  ['the canary gets no traffic', 'setTraffic', share('r2', 10)],
  ['half of the traffic does not move', 'setTraffic', share('r2', 50)],
  ['the baseline can not be removed', 'deleteRevision', ofApp(BASELINE)],
  ['all of the traffic does not move', 'setTraffic', share('r2', 100)],
];

/** The last three run side by side: when one fails the others are told to stop, which only a real server does right. */
const SIDE_BY_SIDE: typeof FORWARD = [
  ['the name is not bound', 'bindName', inProd],
  ['the configuration is not pointed to', 'pointConfig', pointsTo(2)],
  ['the bounds are not written', 'writeScaleBounds', inProd],
];

describe('a release that breaks off', () => {
  async function breaksOff(activity: string, when: (input: never) => boolean): Promise<void> {
    await versionOne();
    world.fail(activity, 'refused', { when });
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'rolled-back', type: 'SystemRefused' });
    await expectWhole();
  }

  it.each(FORWARD)('because %s leaves all as it was', async (_, activity, when) => {
    await start();
    await breaksOff(activity, when);
  });

  it.each(SIDE_BY_SIDE)('because %s leaves all as it was', async (_, activity, when) => {
    await startInRealTime();
    await breaksOff(activity, when);
  });

  it('in its first environment leaves nothing, also no configuration', async () => {
    await startInRealTime();
    world.fail('bindName', 'refused', { when: inProd });
    const handle = await startRelease('1.0.0', { configVersion: 1 });
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    expect([...world.apps.keys()]).toEqual(['/fat/sample/r1']);
    expect(world.traffic.has('prod/sample')).toBe(false);
    expect(world.names.has('prod/sample')).toBe(false);
    expect(world.bounds.has('prod/sample')).toBe(false);
    expect(world.config.get('prod/sample')).toBeUndefined();
  });

  it('where the revision before had no configuration leaves the pointer as somebody had set it by hand', async () => {
    await startInRealTime();
    await released('1.0.0');
    world.config.set('prod/sample', 2);
    world.fail('setTraffic', 'refused', { when: share('r2', 50) });
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    expect(world.config.get('prod/sample')).toBe(2);
  });

  it('in its first environment puts the pointer back that somebody had set by hand', async () => {
    await startInRealTime();
    world.config.set('prod/sample', 6);
    world.fail('bindName', 'refused', { when: inProd });
    const handle = await startRelease('1.0.0', { configVersion: 7 });
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    expect(world.config.get('prod/sample')).toBe(6);
  });
});

/** Every activity of the way back from a bake, and how often it goes wrong. */
const BACK: readonly (readonly [string, Fault, number, (input: never) => boolean])[] = [
  ['setTraffic', 'late', 1, share('r1', 100)],
  ['setTraffic', 'applied-but-unavailable', 1, share('r1', 100)],
  ['ensureRevision', 'refused', 1, ofApp('/prod/sample/r1')],
  ['scaleRevision', 'unhealthy', 1, ofApp('/prod/sample/r1')],
  ['drainRevision', 'late', 1, inProd],
  ['deleteRevision', 'refused', 1, ofApp(R2)],
];

describe('a way back', () => {
  beforeEach(start);

  async function baking() {
    await versionOne();
    // Far longer than it takes to say something, however slow the machine.
    world.manifest = { ...world.manifest, release: { ...world.manifest.release, bakeSeconds: 3600 } };
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    const deadline = Date.now() + 120_000;
    while ((await until(handle, () => true)).wait?.reason !== 'bake' && Date.now() < deadline) await rig.passTime('1s');
    expect(world.config.get('prod/sample')).toBe(2);
    return handle;
  }

  it.each(BACK)('gets there although %s goes wrong (%s, %i times)', async (activity, fault, times, when) => {
    const handle = await baking();
    world.fail(activity, fault, { times, when });
    await handle.executeUpdate(rollbackUpdate, { args: [{ by: 'bob', reason: 'back' }] });
    expect((await ended(handle, '1s')).outcome).toBe('rolled-back');
    await expectWhole();
  });

  it('moves traffic first while all instances are kept, and sees to them after', async () => {
    const handle = await baking();
    world.effects.length = 0;
    await handle.executeUpdate(rollbackUpdate, { args: [{ by: 'bob', reason: 'back' }] });
    expect((await ended(handle)).outcome).toBe('rolled-back');
    expect(world.effects.filter((effect) => effect.includes('prod'))).toEqual([
      'traffic prod r1=100',
      'scale /prod/sample/r1 4',
      'config prod 1',
      'delete /prod/sample/r2',
    ]);
  });

  it('lets the new instances make room where there is none', async () => {
    const handle = await baking();
    // As a reconciler that lost an agent leaves it: fewer than were kept.
    const r1 = world.apps.get('/prod/sample/r1');
    if (r1) r1.instances = 2;
    world.fail('scaleRevision', 'exhausted', { when: ofApp('/prod/sample/r1') });
    world.effects.length = 0;
    await handle.executeUpdate(rollbackUpdate, { args: [{ by: 'bob', reason: 'back' }] });
    expect((await ended(handle, '1s')).outcome).toBe('rolled-back');
    expect(world.effects).toContain('scale /prod/sample/r2 3');
    await expectWhole();
  });
});

describe('a way back on a real server', () => {
  beforeEach(startInRealTime);

  it('gets there although one of the names is refused once beside the others', async () => {
    await versionOne();
    world.fail('pointConfig', 'refused', { when: pointsTo(1) });
    world.fail('setTraffic', 'refused', { when: share('r2', 50) });
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    await expectWhole();
  });
});

describe('a rollback that a person asks for in the middle of an activity', () => {
  beforeEach(startInRealTime);

  it.each([
    ['scaleRevision', ofApp(R2)],
    ['setTraffic', share('r2', 100)],
    ['pointConfig', pointsTo(2)],
  ] as const)('waits for %s to end, and goes back', async (activity, when) => {
    await versionOne();
    world.fail(activity, 'deaf', { when });
    const handle = await startRelease('2.0.0', { configVersion: 2 });
    await approve(handle);
    await until(handle, () => world.effects.includes(`${activity} hangs`));
    await handle.executeUpdate(rollbackUpdate, { args: [{ by: 'bob', reason: 'back' }] });
    expect((await ended(handle)).outcome).toBe('rolled-back');
    await expectWhole();
  });
});
