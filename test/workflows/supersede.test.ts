import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { approve, ended, lane, rig, start, startRelease, until, world } from './release-rig.ts';

jest.setTimeout(300_000);

/** Far longer than two more releases take to come to production, however slow the machine. */
const BAKE_SECONDS = 1800;

beforeEach(start);
afterEach(() => rig.stop());

describe('a release that supersedes', () => {
  it('takes the place of the one that waits, and waits itself for the one that has begun', async () => {
    world.manifest = { ...world.manifest, release: { ...world.manifest.release, bakeSeconds: BAKE_SECONDS } };
    const first = await startRelease('1.0.0');
    await approve(first);
    await until(first, ({ wait }) => wait?.reason === 'bake');
    const second = await startRelease('1.1.0');
    await approve(second);
    await until(second, ({ wait }) => wait?.reason === 'admission');
    const third = await startRelease('1.2.0', { whenBusy: 'supersede' });
    await approve(third);

    const { outcome, view } = await ended(second, '0s');
    expect(outcome).toBe('aborted');
    expect(view.failure).toMatchObject({ type: 'Superseded', message: 'release/sample/1.2.0 has taken its place' });
    expect((await lane('prod')).queue).toEqual(['release/sample/1.2.0']);
    expect((await ended(first, '1m')).outcome).toBe('released');
    // Its turn came; its plan was made when nothing served there yet.
    expect((await ended(third)).view.failure?.type).toBe('PlanOutdated');
    expect((await lane('prod')).state).toMatchObject({
      current: { revision: 'r1' },
      weights: { r1: 100 },
      earlier: [],
    });
    const { earlier } = (await lane('fat')).state;
    expect(earlier?.map(({ bundle }) => bundle.version)).toEqual(['1.1.0', '1.0.0']);
  });
});
