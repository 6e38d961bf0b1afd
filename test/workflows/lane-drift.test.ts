import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { revisionApp } from '../../domain/revision-app.ts';
import { admitSignal, adoptUpdate, laneQuery, revertUpdate } from '../../workflows/contract.ts';
import {
  APP,
  ask,
  asking,
  handle,
  leave,
  rig,
  serving,
  signalsOf,
  start,
  startLane,
  told,
  until,
  wish,
  world,
} from './lane-rig.ts';

jest.setTimeout(300_000);

beforeEach(async () => {
  await start();
  world.looksEvery = '8s';
});
afterEach(() => rig.stop());

const WHY = { by: 'ann', reason: 'it was late' };
const adopt = () => handle.executeUpdate(adoptUpdate, { args: [WHY] });
const revert = () => handle.executeUpdate(revertUpdate, { args: [WHY] });
const drifts = () => until(({ drift }) => drift !== undefined, '1s');
const settles = () => until(({ drift }) => drift === undefined, '1s');
const instances = (id = APP) => world.apps.get(id)?.instances;

/** Waits until the ledger has been told who resolved what, and how. */
async function expectInLedger(how: 'adopted' | 'reverted', kinds: readonly string[]): Promise<void> {
  const told = () => [...world.ledger.values()].filter(({ kind }) => kind === 'drift-resolved');
  await until(() => told().length > 0, '1s');
  const differences = kinds.map((kind) => expect.objectContaining({ kind }));
  expect(told()).toEqual([
    { kind: 'drift-resolved', at: expect.any(String), environment: 'prod', how, ...WHY, differences },
  ]);
}

function scaleByHand(to: number): void {
  const found = world.apps.get(APP);
  if (found) found.instances = to;
}

async function refusal(update: Promise<unknown>): Promise<unknown> {
  const error = await update.catch((thrown: unknown) => thrown);
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause.type : error;
}

describe('a hand-made change in an idle lane', () => {
  it('is looked for as often after a year as at first: seen at the second look that has it, within 30 s', async () => {
    await startLane();
    scaleByHand(5);
    await drifts();
    const { events } = await handle.fetchHistory();
    const watch = events
      ?.map((event) => event.activityTaskScheduledEventAttributes)
      .find((scheduled) => scheduled?.activityType?.name === 'watchDrift');
    const { backoffCoefficient, initialInterval, maximumAttempts, maximumInterval } = watch?.retryPolicy ?? {};
    expect({ backoffCoefficient, maximumAttempts }).toEqual({ backoffCoefficient: 1, maximumAttempts: 0 });
    expect(Number(initialInterval?.seconds)).toBeLessThanOrEqual(8);
    expect(Number(maximumInterval?.seconds)).toBeLessThanOrEqual(8);
    expect(Number(watch?.scheduleToCloseTimeout?.seconds)).toBeGreaterThan(365 * 86_400);
  });

  it('is shown, told in chat, and left alone', async () => {
    await startLane();
    await rig.passTime('30s');
    expect(await handle.query(laneQuery)).not.toHaveProperty('drift');
    scaleByHand(5);

    const { drift, wait } = await drifts();
    expect(drift).toMatchObject({
      environment: 'prod',
      differences: [
        {
          kind: 'scaled',
          sentence: 'r1 was scaled by hand: 5 instances, not 2',
          sentenceZh: 'r1 被手工伸缩：5 个实例，应为 2',
        },
      ],
    });
    expect(wait).toMatchObject({
      reason: 'drift',
      sentence: 'sample in prod was changed by hand: r1 was scaled by hand: 5 instances, not 2',
    });
    await until(() => world.notices.length > 0);
    expect(world.notices).toMatchObject([
      {
        kind: 'drift',
        text: {
          en: expect.stringContaining('Say: adopt prod/sample <why>, or revert prod/sample <why>'),
          zh: expect.stringContaining('采纳 prod/sample'),
        },
      },
    ]);
    await rig.passTime('1m');
    expect(instances()).toBe(5);
    expect(world.effects).toEqual([]);
  });

  it('is over when it is put back by hand', async () => {
    await startLane();
    scaleByHand(5);
    await drifts();
    for (const name of ['adopt', 'revert', 'liftVeto']) {
      expect([name, await refusal(handle.executeUpdate(name, { args: [{ by: 'ann' }] }))]).toEqual([
        name,
        'RequestInvalid',
      ]);
    }
    scaleByHand(2);
    await settles();
    expect(await refusal(revert())).toBe('NoDrift');
    expect(world.effects).toEqual([]);
  });

  it('is how it shall be once it is adopted', async () => {
    await startLane();
    scaleByHand(5);
    await drifts();
    await adopt();
    expect((await settles()).state.current?.instances).toBe(5);
    await rig.passTime('1m');
    expect(await handle.query(laneQuery)).not.toHaveProperty('drift');
    expect(world.effects).toEqual([]);
    await until(() => world.notices.length > 1);
    expect(world.notices.at(-1)?.text.en).toBe('ann adopted 1 change made by hand to sample (prod): it was late');
    await expectInLedger('adopted', ['scaled']);
  });

  it('is put back when somebody says so', async () => {
    await startLane({ ...serving, configVersion: 2 });
    scaleByHand(5);
    world.traffic.set('prod/sample', { r1: 80, r9: 20 });
    world.apps.set('/prod/sample/r9', { app: { ...revisionApp(spec('r9')) }, instances: 1 });
    world.bounds.delete('prod/sample');
    world.config.set('prod/sample', 3);
    const { drift } = await drifts();
    expect(drift?.differences.map(({ kind }) => kind)).toEqual([
      'scaled',
      'unknown-app',
      'traffic',
      'config',
      'bounds',
    ]);
    await revert();
    const { state } = await settles();
    expect(state).toEqual({ ...serving, configVersion: 2 });
    expect(world.effects).toEqual([`scale ${APP} 2`, 'traffic prod r1=100', 'config prod 2', 'delete /prod/sample/r9']);
    expect(world.bounds.get('prod/sample')).toEqual(serving.bounds);
    await expectInLedger('reverted', ['scaled', 'unknown-app', 'traffic', 'config', 'bounds']);
  });

  it('gives way to a fresh revision when an app was edited and that is reverted', async () => {
    await startLane();
    const found = world.apps.get(APP);
    if (found) found.app = { ...found.app, env: { ...found.app.env, COLOUR: 'red' } };
    expect((await drifts()).drift?.differences).toMatchObject([{ sentence: 'r1 was edited by hand: env.COLOUR' }]);
    await revert();
    const { state } = await settles();
    expect(state).toMatchObject({ lastRevision: 2, current: { revision: 'r2', instances: 2 }, weights: { r2: 100 } });
    expect([...world.apps.keys()]).toEqual(['/prod/sample/r2']);
    expect(world.apps.get('/prod/sample/r2')?.app.env).not.toHaveProperty('COLOUR');
  });

  it('is how an edited app is made again once it is adopted', async () => {
    await startLane();
    const found = world.apps.get(APP);
    if (found) found.app = { ...found.app, mem: 128 };
    await drifts();
    await adopt();
    const { state } = await settles();
    expect(state.current && revisionApp(state.current.spec)).toMatchObject({ id: APP, mem: 128 });
    await rig.passTime('1m');
    expect(await handle.query(laneQuery)).not.toHaveProperty('drift');
  });

  it('stays open when it can not be put back, and says why', async () => {
    await startLane();
    scaleByHand(5);
    await drifts();
    world.fail('scaleRevision', 'unhealthy');
    await revert();
    const { drift } = await until(
      (view) => view.drift?.resolution !== undefined && /failed/.test(view.drift.resolution),
    );
    expect(drift?.resolution).toBe('ann reverted it, and that failed: 0 of 1 instances are healthy');
    await revert();
    await settles();
    expect(instances()).toBe(2);
  });

  it('holds up releases, refuses those that would not wait, and is seen when one asks in the very moment', async () => {
    world.looksEvery = '300 days';
    await startLane();
    await until(() => true);
    scaleByHand(5);
    await ask('a');
    const because = 'sample in prod was changed by hand: r1 was scaled by hand: 5 instances, not 2';
    await told('a', [{ environment: 'prod', admitted: 'later', because, endedBy: expect.any(String) }]);
    await ask('b', 'refuse');
    await told('b', [{ environment: 'prod', admitted: false, type: 'Drifted', because }]);
    expect(await handle.query(laneQuery)).toMatchObject({ queue: ['release/sample/a'], drift: {} });
    await adopt();
    await until(({ holder }) => holder === 'release/sample/a', '1s');
    expect(await signalsOf('release/sample/a')).toMatchObject([
      {},
      { admitted: true, state: { current: { instances: 5 } } },
    ]);
  });

  it('holds up no way back', async () => {
    await startLane();
    scaleByHand(5);
    await drifts();
    await handle.signal(admitSignal, { ...asking('a'), whenBusy: 'wait', back: true });
    const view = await until(({ holder }) => holder === 'release/sample/a');
    expect(view).not.toHaveProperty('drift');
    await leave('a', serving);
    expect((await drifts()).drift?.differences).toMatchObject([{ kind: 'scaled' }]);
  });

  it('holds up scaling, and scaling is none', async () => {
    await startLane();
    await wish(4);
    await until(({ state }) => state.current?.instances === 4 && instances() === 4);
    await rig.passTime('30s');
    expect(await handle.query(laneQuery)).not.toHaveProperty('drift');
    scaleByHand(1);
    await drifts();
    await wish(5);
    await rig.passTime('30s');
    expect(instances()).toBe(1);
    await adopt();
    await settles();
    await until(() => instances() === 5, '1s');
  });
});

const spec = (revision: string) => ({ ...(serving.current?.spec ?? fail()), revision });

function fail(): never {
  throw new Error('nothing serves');
}
