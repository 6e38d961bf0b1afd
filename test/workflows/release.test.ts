import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { bundleOf } from '../../domain/bundle.ts';
import { rejudge } from '../../domain/judge/rejudge.ts';
import {
  approve,
  ended,
  expectServing,
  lane,
  outcomes,
  released,
  rig,
  start,
  startInRealTime,
  startRelease,
  until,
  waitsForApproval,
  world,
} from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);
afterEach(() => rig.stop());

describe('a release that goes through', () => {
  it('takes the first version to production, without a canary, and binds its names', async () => {
    await start();
    const { view } = await released('1.0.0');
    expect(outcomes(view)).toEqual({
      'deploy-fat': 'done',
      'test-fat': 'done',
      promote: 'done',
      'approve-prod': 'done',
      'shift-prod': 'done',
      'bake-prod': 'done',
      'retire-prod': 'done',
    });
    await expectServing('1.0.0', 'r1', 4);
    expect(world.traffic.get('fat/sample')).toEqual({ r1: 100 });
    expect(world.tags.get('v1.0.0')).toBe(`sha256:${'a'.repeat(64)}`);
    expect(world.bounds.get('prod/sample')).toEqual(MANIFEST.scale);
    expect(world.notices.map(({ kind }) => kind)).toEqual(['approval', 'ended']);
  });

  it('takes the next version by canary beside a fresh baseline, capacity always before weight', async () => {
    await start();
    await released('1.0.0');
    world.effects.length = 0;
    const { view } = await released('2.0.0');
    await expectServing('2.0.0', 'r2', 4);
    // Canary and baseline start side by side.
    const effects = world.effects.filter((effect) => effect.includes('prod'));
    expect([...effects.slice(0, 2).sort(), ...effects.slice(2, 4).sort(), ...effects.slice(4)]).toEqual([
      ...['create /prod/sample/r1-baseline', 'create /prod/sample/r2'],
      ...['scale /prod/sample/r1-baseline 1', 'scale /prod/sample/r2 1'],
      'traffic prod r1-baseline=10 r1=80 r2=10',
      'scale /prod/sample/r2 2',
      'traffic prod r1=50 r2=50',
      'delete /prod/sample/r1-baseline',
      'scale /prod/sample/r2 4',
      'traffic prod r2=100',
      'delete /prod/sample/r1',
    ]);
    expect(view.verdicts.at(-1)).toMatchObject({ result: 'pass', rule: 'not-inferior' });
    expect(view.judged && rejudge(view.judged)).toEqual(view.verdicts.at(-1));
    expect((await lane('prod')).state.previous).toMatchObject({ revision: 'r1', bundle: { version: '1.0.0' } });
  });

  it('runs the config version it names, and makes it current', async () => {
    await start();
    world.config.set('prod/sample', 6);
    const { view } = await released('1.0.0', { configVersion: 7 });
    expect(world.apps.get('/prod/sample/r1')?.app.env['SLIPWAY_CONFIG_KEY']).toBe('cfg/prod/sample/v/7');
    expect(world.config.get('prod/sample')).toBe(7);
    expect(view.plan?.configVersion).toBe(7);
    // It was built without configuration: with one it is another bundle, with the id of its content.
    expect(view.bundle?.configVersion).toBe(7);
    expect(view.bundle && bundleOf(view.bundle).id).toBe(view.bundle?.id);
  });

  it('says in its plan that the configuration goes', async () => {
    await start();
    await released('1.0.0', { configVersion: 7 });
    const handle = await startRelease('2.0.0', { configVersion: 0 });
    const { plan } = await until(handle, waitsForApproval);
    expect(plan?.configDiff).toMatchObject({ fat: { from: 7, to: 0 }, prod: { from: 7, to: 0 } });
  });

  it('is not undone because the old revision can not be retired at first, or keeps its connections', async () => {
    await start();
    await released('1.0.0');
    world.fail('deleteRevision', 'refused', { when: ({ appId }: { appId: string }) => appId === '/prod/sample/r1' });
    world.fail('drainRevision', 'late', { when: ({ environment }: { environment: string }) => environment === 'prod' });
    await released('2.0.0');
    await expectServing('2.0.0', 'r2', 4);
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
    expect(view.failure).toMatchObject({ type: 'CanaryFailed', step: 'hold-prod' });
    expect(outcomes(view)).toMatchObject({
      'hold-prod': 'failed',
      'shift-prod-3': 'skipped',
      'rollback-prod': 'done',
    });
    const production = world.effects.filter((effect) => effect.includes('prod'));
    expect(production.slice(-4)).toEqual([
      'traffic prod r1=100',
      'scale /prod/sample/r1 4',
      'delete /prod/sample/r1-baseline',
      'delete /prod/sample/r2',
    ]);
    expect(view.rollbacks).toMatchObject([{ environment: 'prod', trafficAt: expect.any(String) }]);
    await expectServing('1.0.0', 'r1', 4);
  });

  it('takes a canary back that nobody can judge', async () => {
    await start();
    await released('1.0.0');
    world.requestsPerSecond = 0;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(view.failure).toMatchObject({ type: 'CanaryInconclusive', step: 'judge-prod' });
    expect(outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('promotes nothing on figures that stopped, however good they were', async () => {
    await start();
    await released('1.0.0');
    world.figuresSeconds = 4;
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect(view.failure).toMatchObject({
      type: 'CanaryInconclusive',
      message: expect.stringMatching(/there are figures of 4 s of the last \d{2,}[\d.]* s only/),
    });
    expect(view.verdicts.at(-1)).toMatchObject({ result: 'inconclusive', rule: 'figures-missing' });
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

  it('ends the container of a test that returned no result, before it goes back', async () => {
    await start();
    await released('1.0.0');
    world.fail('runTest', 'refused');
    const before = world.effects.length;
    const { outcome, view } = await ended(await startRelease('2.0.0'));
    expect([outcome, view.failure?.type]).toEqual(['failed', 'SystemRefused']);
    const effects = world.effects.slice(before);
    const ends = effects.findIndex((effect) => /^end contract of activity \d+$/.test(effect));
    expect(ends).toBeGreaterThan(effects.indexOf('traffic fat r2=100'));
    expect(ends).toBeLessThan(effects.indexOf('traffic fat r1=100'));
  });

  it('goes back also when that container can not be ended', async () => {
    await start();
    await released('1.0.0');
    world.fail('runTest', 'refused');
    world.fail('endTest', 'refused');
    const { outcome, view } = await ended(await startRelease('2.0.0'));
    expect([outcome, view.failure?.message]).toEqual(['failed', 'runTest was refused']);
    expect(world.traffic.get('fat/sample')).toEqual({ r1: 100 });
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
    expect(view.failure).toMatchObject({ type: 'RevisionUnhealthy', step: 'shift-prod-3' });
    expect(outcomes(view)).toMatchObject({ 'shift-prod-1': 'undone', 'shift-prod-2': 'undone' });
    await expectServing('1.0.0', 'r1', 4);
  });

  it('fails at once when the balancer does not get its servers in time', async () => {
    await start();
    await released('1.0.0');
    world.fail('setTraffic', 'late', { when: ({ shares }: { shares: Record<string, number> }) => shares['r2'] === 10 });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'rolled-back', type: 'DeadlineExceeded' });
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

  it('refuses a bundle whose image is gone before it touches anything', async () => {
    await start();
    world.imagesGone = true;
    const { outcome, view } = await ended(await startRelease('1.0.0'));
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'ImageMissing' });
    expect(world.effects).toEqual([]);
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
    expect(outcome).toBe('failed');
    expect(view.failure).toMatchObject({
      type: 'PlanOutdated',
      message: 'prod runs r2 now, the plan was made for r1; start the release again',
    });
    await expectServing('2.0.0', 'r2', 4);
  });
});
