/** Going back after the end, to any earlier bundle. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { releaseWorkflowId, TASK_QUEUE } from '../../workflows/contract.ts';
import type { rollback } from '../../workflows/rollback.ts';
import { ended, expectServing, lane, released, rig, start, world } from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);
beforeEach(start);
afterEach(() => rig?.stop());

async function goBack(key: string, to?: string) {
  const handle = await rig.client.start<typeof rollback>('rollback', {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId('sample', key),
    args: [
      {
        ...{ key, service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'customers complain' },
        ...(to === undefined ? {} : { to }),
      },
    ],
  });
  const { outcome, view } = await ended(handle);
  return { outcome, type: view.failure?.type, view };
}

describe('a rollback after the end', () => {
  it('goes back over two versions, with image, configuration and bounds of then', async () => {
    const first = await released('1.0.0', { configVersion: 1 });
    const id = first.view.bundle?.id ?? '';
    const bounds = MANIFEST.scale && { ...MANIFEST.scale, max: 20 };
    world.manifest = { ...world.manifest, ...(bounds === undefined ? {} : { scale: bounds }) };
    await released('2.0.0', { configVersion: 2 });
    await released('3.0.0', { configVersion: 3 });
    expect(world.bounds.get('prod/sample')).toEqual(bounds);
    expect(await goBack('back-1', id)).toMatchObject({ outcome: 'rolled-back' });
    await expectServing('1.0.0', 'r4', 4);
    expect(world.config.get('prod/sample')).toBe(1);
    expect(world.bounds.get('prod/sample')).toEqual(MANIFEST.scale);
    expect((await lane('prod')).state.vetoes).toMatchObject([{ version: '3.0.0' }]);
    // By itself it now goes to version 2, and never to version 3.
    expect(await goBack('back-2')).toMatchObject({ outcome: 'rolled-back' });
    await expectServing('2.0.0', 'r5', 4);
    expect(await goBack('back-3')).toMatchObject({ outcome: 'failed', type: 'NothingToRollBackTo' });
  });

  it('does not bring the bad one back because a name can not be bound at first', async () => {
    await released('1.0.0', { configVersion: 1 });
    await released('2.0.0', { configVersion: 2 });
    world.fail('pointConfig', 'refused', { times: 2 });
    const { outcome, view } = await goBack('back');
    expect({ outcome, failure: view.failure }).toEqual({ outcome: 'rolled-back' });
    await expectServing('1.0.0', 'r3', 4);
    expect(world.config.get('prod/sample')).toBe(1);
    expect(world.effects.filter((effect) => /^traffic prod .*r2/.test(effect)).at(-1)).toBe('traffic prod r2=100');
    expect(world.effects.filter((effect) => effect.startsWith('traffic prod')).at(-1)).toBe('traffic prod r3=100');
  });

  it('refuses what it can not go back to, before anything moves', async () => {
    const first = await released('1.0.0', { configVersion: 1 });
    const second = await released('2.0.0', { configVersion: 1 });
    const [one = '', two = ''] = [first, second].map(({ view }) => view.bundle?.id);
    world.effects.length = 0;
    expect(await goBack('back-1', 'b-0000000000000000')).toMatchObject({ type: 'UnknownBundle' });
    expect(await goBack('back-2', two)).toMatchObject({ type: 'NothingToRollBackTo' });
    world.wayBackLacks = [{ kind: 'image', sentence: 'registry one:5000 lacks sha256:b' }];
    expect(await goBack('back-3', one)).toMatchObject({ outcome: 'failed', type: 'ImageMissing' });
    world.wayBackLacks = [{ kind: 'config', sentence: 'version 1 is not there' }];
    expect(await goBack('back-4')).toMatchObject({ outcome: 'failed', type: 'ConfigMissing' });
    expect(world.effects).toEqual([]);
    await expectServing('2.0.0', 'r2', 4);
    world.wayBackLacks = [];
    // A registry that does not answer is no reason to stay.
    world.fail('checkRollbackReadiness', 'unavailable');
    expect(await goBack('back-5', one)).toMatchObject({ outcome: 'rolled-back' });
    expect(await goBack('back-6', two)).toMatchObject({ outcome: 'failed', type: 'Vetoed' });
    await expectServing('1.0.0', 'r3', 4);
  });
});
