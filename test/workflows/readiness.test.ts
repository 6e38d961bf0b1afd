/** A release goes no further than it could come back from. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ReadinessGap } from '../../domain/readiness.ts';
import {
  approve,
  ended,
  expectServing,
  outcomes,
  released,
  rig,
  start,
  startRelease,
  until,
  world,
} from './release-rig.ts';

jest.setTimeout(300_000);
beforeEach(start);
afterEach(() => rig?.stop());

const GAP: ReadinessGap = { kind: 'image', sentence: 'registry one:5000 lacks sha256:b of sample@sha256:a' };
const waitsForWayBack = (view: { wait?: { reason: string } }) => view.wait?.reason === 'rollback-readiness';
const prodEffects = () => world.effects.filter((effect) => effect.includes('prod'));

describe('the way back', () => {
  it('is looked at before each shift and once when the bake begins, where something served before', async () => {
    await released('1.0.0');
    expect(world.readinessAsked).toEqual([]);
    const { view } = await released('2.0.0');
    const shifts = view.steps.filter(({ kind }) => kind === 'shift').length;
    expect(world.readinessAsked).toHaveLength(shifts + 1);
    for (const asked of world.readinessAsked) {
      expect(asked).toMatchObject({ environment: 'prod', service: 'sample', instances: 0, cpus: 0.1, memoryMiB: 64 });
    }
  });

  it('asks for room for each old instance that is gone, and for the configuration that served', async () => {
    await released('1.0.0', { configVersion: 5 });
    const rolling = { strategy: 'rolling', rolling: { batchPercent: 50, surgePercent: 25 } } as const;
    world.manifest = { ...world.manifest, release: { ...world.manifest.release, ...rolling } };
    await released('2.0.0', { configVersion: 6 });
    const asked = world.readinessAsked.map(({ configVersion, instances }) => ({ configVersion, instances }));
    // Four shifts that leave fewer of the four, and the bake.
    expect(asked).toEqual([1, 2, 3, 4, 4].map((instances) => ({ configVersion: 5, instances })));
  });

  it('holds up a shift until it is ready, and says what is missing', async () => {
    await released('1.0.0');
    world.wayBackLacks = [GAP];
    world.effects.length = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { wait } = await until(handle, waitsForWayBack);
    expect(wait).toEqual({
      reason: 'rollback-readiness',
      sentence: `the way back is not ready: ${GAP.sentence}`,
      since: expect.any(String),
      endedBy: 'whoever brings what is missing',
      deadline: expect.any(String),
      atDeadline: 'the release goes back',
    });
    expect(prodEffects()).toEqual([]);
    world.wayBackLacks = [];
    expect((await ended(handle)).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 4);
  });

  it('that opens in the middle sends the release back when nobody mends it in time', async () => {
    await released('1.0.0');
    // Nothing is decided before it opens.
    world.requestsPerSecond = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, ({ wait }) => wait?.reason === 'canary-figures');
    world.wayBackLacks = [GAP];
    world.wayBackStaysShut = true;
    world.requestsPerSecond = 500;
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type, message: view.failure?.message }).toEqual({
      outcome: 'rolled-back',
      type: 'NotReadyToRollBack',
      message: 'an hour is over',
    });
    expect(outcomes(view)).toMatchObject({ 'rollback-prod': 'done' });
    await expectServing('1.0.0', 'r1', 4);
  });

  it('that can not be looked at counts as not ready', async () => {
    await released('1.0.0');
    world.fail('checkRollbackReadiness', 'unavailable');
    world.fail('awaitRollbackReadiness', 'hang');
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { wait } = await until(handle, waitsForWayBack);
    expect(wait?.sentence).toContain('503');
  });
});
