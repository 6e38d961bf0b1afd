/** How each strategy comes to the next version: its effects in their order, and the capacity on the way. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ReleaseSpec } from '../../domain/manifest.ts';
import {
  approve,
  ended,
  expectServing,
  outcomes,
  released,
  rig,
  start,
  startInRealTime,
  startRelease,
  until,
  world,
} from './release-rig.ts';

jest.setTimeout(300_000);
afterEach(() => rig.stop());

const releaseBy = (release: Partial<ReleaseSpec>) => {
  world.manifest = { ...world.manifest, release: { ...world.manifest.release, ...release } };
};

/** Whether a call is about this revision in production. */
const isOf =
  (revision: string) =>
  ({ appId }: { appId: string }) =>
    appId === `/prod/sample/${revision}`;

const inProduction = () => world.effects.filter((effect) => effect.includes('prod'));

/** Fewest and most instances in production after each effect, of both revisions. */
function capacity(effects: readonly string[], before: number): { fewest: number; most: number } {
  const instances = new Map([['/prod/sample/r1', before]]);
  const sums = [before];
  for (const effect of effects) {
    const [what, app = '', count] = effect.split(' ');
    if (what === 'scale') instances.set(app, Number(count));
    if (what === 'delete') instances.delete(app);
    sums.push([...instances.values()].reduce((sum, each) => sum + each, 0));
  }
  return { fewest: Math.min(...sums), most: Math.max(...sums) };
}

/** The second version over four instances of the first, by a strategy. @returns its effects in production */
async function second(release: Partial<ReleaseSpec>): Promise<string[]> {
  await start();
  await released('1.0.0');
  world.effects.length = 0;
  releaseBy(release);
  await released('2.0.0');
  await expectServing('2.0.0', 'r2', 4);
  return inProduction();
}

describe('rolling', () => {
  it('brings new instances, their traffic, then lets as many old ones go', async () => {
    const effects = await second({ strategy: 'rolling', rolling: { batchPercent: 50, surgePercent: 25 } });
    expect(effects).toEqual([
      'create /prod/sample/r2',
      'scale /prod/sample/r2 1',
      'traffic prod r1=75 r2=25',
      'scale /prod/sample/r1 3',
      'traffic prod r1=75 r2=25',
      'scale /prod/sample/r2 2',
      'traffic prod r1=50 r2=50',
      'scale /prod/sample/r1 2',
      'traffic prod r1=50 r2=50',
      'scale /prod/sample/r2 3',
      'traffic prod r1=25 r2=75',
      'scale /prod/sample/r1 1',
      'traffic prod r1=25 r2=75',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'scale /prod/sample/r1 0',
      'delete /prod/sample/r1',
    ]);
    expect(capacity(effects, 4)).toEqual({ fewest: 4, most: 5 });
  });

  it('without a surge lets old ones go first, a batch at a time', async () => {
    const effects = await second({ strategy: 'rolling', rolling: { batchPercent: 50, surgePercent: 0 } });
    // Old ones have no traffic any more when the last of them go.
    expect(effects).toEqual([
      'scale /prod/sample/r1 2',
      'create /prod/sample/r2',
      'scale /prod/sample/r2 2',
      'traffic prod r1=50 r2=50',
      'traffic prod r2=100',
      'scale /prod/sample/r1 0',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1',
    ]);
    expect(capacity(effects, 4)).toEqual({ fewest: 2, most: 4 });
  });

  it('comes back from the middle with all that served', async () => {
    await start();
    await released('1.0.0');
    releaseBy({ strategy: 'rolling' });
    world.fail('scaleRevision', 'unhealthy', {
      when: ({ appId, instances }: { appId: string; instances: number }) =>
        appId === '/prod/sample/r2' && instances === 3,
    });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect({ outcome, step: view.failure?.step }).toEqual({ outcome: 'rolled-back', step: 'shift-prod-3' });
    await expectServing('1.0.0', 'r1', 4);
  });
});

describe('the strategies of one move', () => {
  it('blue-green has all of the new one up before any traffic moves, and keeps the old one', async () => {
    const effects = await second({ strategy: 'blue-green' });
    expect(effects).toEqual([
      'create /prod/sample/r2',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1',
    ]);
  });

  it('recreate stops the old one before the new one starts', async () => {
    expect(await second({ strategy: 'recreate' })).toEqual([
      'scale /prod/sample/r1 0',
      'create /prod/sample/r2',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1',
    ]);
  });

  it('recreate comes back to the old one when the new one does not start', async () => {
    await start();
    await released('1.0.0');
    releaseBy({ strategy: 'recreate' });
    world.fail('scaleRevision', 'unhealthy', {
      when: ({ appId }: { appId: string }) => appId === '/prod/sample/r2',
    });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('brutal does both at once', async () => {
    const effects = await second({ strategy: 'brutal' });
    expect(effects.slice(0, 3).sort()).toEqual([
      'create /prod/sample/r2',
      'scale /prod/sample/r1 0',
      'scale /prod/sample/r2 4',
    ]);
    expect(effects.slice(3)).toEqual(['traffic prod r2=100', 'delete /prod/sample/r1']);
  });
});

describe('what is done at once', () => {
  it('has ended altogether before the release goes back', async () => {
    await startInRealTime();
    await released('1.0.0');
    releaseBy({ strategy: 'brutal' });
    world.fail('scaleRevision', 'hang', { when: isOf('r2') });
    world.fail('scaleRevision', 'refused', { when: isOf('r1') });
    world.effects.length = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'rolled-back', type: 'SystemRefused' });
    expect(world.effects).toContain('scaleRevision hangs');
    await expectServing('1.0.0', 'r1', 4);
  });
});

describe('a canary', () => {
  it('of several weights is judged at each, its baseline as large and never longer there than judges are to come', async () => {
    const effects = await second({
      canary: [
        { kind: 'weight', weight: 10 },
        { kind: 'hold', seconds: 10 },
        { kind: 'judge', name: 'errors' },
        { kind: 'weight', weight: 60 },
        { kind: 'hold', seconds: 5 },
        { kind: 'hold', seconds: 5 },
        { kind: 'judge', name: 'errors' },
      ],
    });
    // What starts side by side may come in any order.
    expect([
      ...effects.slice(0, 4).sort(),
      ...effects.slice(4, 5),
      ...effects.slice(5, 7).sort(),
      ...effects.slice(7),
    ]).toEqual([
      'create /prod/sample/r1-baseline',
      'create /prod/sample/r2',
      'scale /prod/sample/r1-baseline 1',
      'scale /prod/sample/r2 1',
      'traffic prod r1-baseline=10 r1=80 r2=10',
      'scale /prod/sample/r1-baseline 3',
      'scale /prod/sample/r2 3',
      'traffic prod r1-baseline=40 r2=60',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1-baseline',
      'delete /prod/sample/r1',
    ]);
  });

  it('goes back whole when its baseline does not get healthy', async () => {
    await start();
    await released('1.0.0');
    world.fail('scaleRevision', 'unhealthy', { when: isOf('r1-baseline') });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect({ outcome, failure: view.failure }).toMatchObject({
      outcome: 'rolled-back',
      failure: { type: 'RevisionUnhealthy', step: 'shift-prod-1' },
    });
    await expectServing('1.0.0', 'r1', 4);
  });

  it('asks for approval again where its entries say so', async () => {
    await start();
    await released('1.0.0');
    releaseBy({
      canary: [
        { kind: 'weight', weight: 10 },
        { kind: 'approve', count: 1 },
      ],
    });
    const handle = await startRelease('2.0.0');
    const asked = (step: string) =>
      until(handle, ({ steps, wait }) => wait?.reason === 'approval' && steps.some(isRunning(step)));
    expect((await asked('approve-prod-1')).wait?.atDeadline).toBe('the release ends as failed');
    await approve(handle);
    expect((await asked('approve-prod-2')).wait?.atDeadline).toBe('the release goes back');
    expect(world.traffic.get('prod/sample')).toEqual({ r1: 90, r2: 10 });
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('released');
    expect(outcomes(view)).toMatchObject({
      'approve-prod-1': 'done',
      'approve-prod-2': 'done',
      'shift-prod-2': 'done',
    });
  });
});

describe('what autoscaling did since the plan was made', () => {
  it('is kept: the release brings as many instances as serve by then', async () => {
    await start();
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await until(handle, ({ wait }) => wait?.reason === 'approval');
    await rig.client.getHandle('lane/prod/sample').signal('scale', {
      wish: { instances: 6, at: new Date().toISOString() },
      because: 'load',
    });
    await expectScaled(6);
    await approve(handle);
    expect((await ended(handle)).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 6);
  });
});

const isRunning = (id: string) => (step: { id: string; outcome: string }) =>
  step.id === id && step.outcome === 'running';

/** Time does not pass meanwhile. */
async function expectScaled(instances: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (world.apps.get('/prod/sample/r1')?.instances !== instances) {
    if (Date.now() > deadline) throw new Error(`production was not scaled to ${instances}`);
    await rig.client.getHandle('lane/prod/sample').query('lane');
  }
}
