/** The workflow that keeps all freezes: what it answers, whom it tells, and that it waits for nobody. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createFreezeActivities } from '../../activities/temporal/freezes.ts';
import type { Freeze, FreezeList } from '../../domain/freeze.ts';
import {
  FREEZES_WORKFLOW_ID,
  type FreezesCarried,
  type FreezesInput,
  type FreezesView,
  freezesQuery,
  freezeUpdate,
  TASK_QUEUE,
  unfreezeUpdate,
  unwatchFreezesSignal,
} from '../../workflows/contract.ts';
import type { freezes } from '../../workflows/freezes.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { World } from './world.ts';

jest.setTimeout(300_000);

let rig: WorkflowRig;
let world: World;
let handle: WorkflowHandle<typeof freezes>;

beforeEach(async () => {
  world = new World();
  rig = await startWorkflowRig(world.activities(() => rig.client));
});
afterEach(() => rig.stop());

async function startFreezes(carried?: Partial<FreezesCarried>): Promise<void> {
  const nothing: FreezesCarried = {
    list: { number: 0, freezes: [] },
    announced: 0,
    watchers: [],
    asking: [],
    untold: [],
  };
  const input: FreezesInput = carried ? { carried: { ...nothing, ...carried } } : {};
  handle = await rig.client.start<typeof freezes>('freezes', {
    taskQueue: TASK_QUEUE,
    workflowId: FREEZES_WORKFLOW_ID,
    args: [input],
  });
}

/** A run that stands for a release: all that freezes need of it is that it takes their signal. */
async function startWatcher(key: string): Promise<string> {
  const holder = `release/sample/${key}`;
  await rig.client.start('lane', {
    taskQueue: TASK_QUEUE,
    workflowId: holder,
    args: [{ environment: 'prod', service: 'sample' }],
  });
  return holder;
}

/** Asks what is frozen as a release does. @returns what it was told */
async function watch(holder: string, service = 'sample'): Promise<FreezeList> {
  await createFreezeActivities(rig.client).watchFreezes({ holder, service });
  return toldNext(holder, 0);
}

/** The list that a run was sent after so many others. */
async function toldNext(holder: string, before: number): Promise<FreezeList> {
  const lists = await until(
    () => toldTo(holder),
    ({ length }) => length > before,
  );
  const list = lists[before];
  if (!list) throw new Error(`${holder} was sent ${lists.length} lists`);
  return list;
}
const freeze = (scope: Freeze['scope'], until?: string) =>
  handle.executeUpdate(freezeUpdate, {
    args: [{ scope, by: 'ann', reason: 'an incident', ...(until === undefined ? {} : { until }) }],
  });
const unfreeze = (id: string) => handle.executeUpdate(unfreezeUpdate, { args: [{ id, by: 'bob', reason: 'mended' }] });

async function refusal(update: Promise<unknown>): Promise<string | undefined | null> {
  const error = await update.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause.type : undefined;
}

async function until<T>(look: () => T | Promise<T>, what: (found: T) => boolean, step?: '1s' | '1h'): Promise<T> {
  const deadline = Date.now() + 60_000;
  let found = await look();
  while (!what(found)) {
    if (Date.now() > deadline) throw new Error(`it did not get there: ${JSON.stringify(found)}`);
    if (step) await rig.passTime(step);
    found = await look();
  }
  return found;
}

const view = (): Promise<FreezesView> => handle.query(freezesQuery);

/** The lists that a run was sent. */
async function toldTo(holder: string): Promise<FreezeList[]> {
  const { events } = await rig.client.getHandle(holder).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: attributes }) =>
    attributes ? [JSON.parse(Buffer.from(attributes.input?.payloads?.[0]?.data ?? []).toString())] : [],
  );
}

describe('freezes', () => {
  it('are told at once to every release that watches, and to a later one when it asks', async () => {
    await startFreezes();
    const [first, second] = [await startWatcher('a'), await startWatcher('b')];
    const { number } = await watch(first);
    for (const holder of [first, second]) expect(await watch(holder)).toEqual({ number, freezes: [] });
    const frozen = await freeze({ environment: 'prod' });
    expect(frozen).toMatchObject({ scope: { environment: 'prod' }, by: 'ann', reason: 'an incident' });
    expect(await toldNext(first, 2)).toEqual({ number: number + 1, freezes: [frozen] });
    expect(await toldNext(second, 1)).toEqual({ number: number + 1, freezes: [frozen] });
    expect(await watch(await startWatcher('c'))).toEqual({ number: number + 1, freezes: [frozen] });
    expect(await unfreeze(frozen.id)).toEqual(frozen);
    expect(await toldNext(second, 2)).toEqual({ number: number + 2, freezes: [] });
    expect((await view()).freezes).toEqual([]);
  });

  it('of another service are not among those that a release is told', async () => {
    await startFreezes();
    const holder = await startWatcher('a');
    const { number } = await watch(holder);
    await freeze({ service: 'other', environment: 'prod' });
    const all = await freeze({});
    const told = await until(
      () => toldTo(holder),
      (lists) => lists.length > 2,
    );
    expect(told.find((list) => list.number === number + 1)?.freezes).toEqual([]);
    expect(told.find((list) => list.number === number + 2)?.freezes).toEqual([all]);
  });

  it('are over when their time has come, and that is told and written down', async () => {
    await startFreezes();
    const holder = await startWatcher('a');
    const { number } = await watch(holder);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const frozen = await freeze({}, soon);
    const waiting = await until(view, ({ wait }) => wait !== undefined);
    expect(waiting.wait).toMatchObject({ reason: 'freeze', deadline: soon, atDeadline: 'the freeze is over' });
    await until(view, ({ freezes }) => freezes.length === 0, '1h');
    expect(await toldNext(holder, 2)).toEqual({ number: number + 2, freezes: [] });
    const entries = await until(
      () => [...world.freezes.values()],
      (written) => written.length === 2,
    );
    expect(entries).toMatchObject([
      { kind: 'freeze', id: frozen.id, by: 'ann' },
      { kind: 'unfreeze', id: frozen.id, by: 'slipway', reason: 'its time had come' },
    ]);
  });

  it('do not wait for the ledger, and tell it what was missed when it is back', async () => {
    let away = true;
    world.fail('writeFreezes', 'unavailable', { times: Number.POSITIVE_INFINITY, when: () => away });
    await startFreezes();
    const holder = await startWatcher('a');
    await watch(holder);
    const frozen = await freeze({});
    expect((await toldNext(holder, 1)).freezes).toEqual([frozen]);
    expect(world.freezes.size).toBe(0);
    await unfreeze(frozen.id);
    away = false;
    await until(
      () => world.freezes.size,
      (size) => size === 2,
      '1s',
    );
  });

  it('forget a release that has ended or says that it need not be told', async () => {
    await startFreezes();
    const [stays, ended, left] = [await startWatcher('a'), await startWatcher('b'), await startWatcher('c')];
    for (const holder of [stays, ended, left]) await watch(holder);
    await handle.signal(unwatchFreezesSignal, left);
    await rig.client.getHandle(ended).cancel();
    await until(
      () => rig.client.getHandle(ended).describe(),
      ({ status }) => status.name === 'CANCELLED',
    );
    await freeze({});
    await until(view, ({ watchers }) => watchers === 1);
    expect(await toldTo(stays)).toHaveLength(2);
    expect(await toldTo(left)).toHaveLength(1);
  });

  it('refuse to lift what is not frozen, and an end that is past', async () => {
    await startFreezes();
    expect(await refusal(unfreeze('nothing'))).toBe('UnknownFreeze');
    expect(await refusal(freeze({}, '2020-01-01T00:00:00Z'))).toBe('RequestInvalid');
    expect(await refusal(freeze({}, 'tomorrow'))).toBe('RequestInvalid');
    // As whoever uses Temporal itself could send it: a freeze of nobody knows what would stop every release.
    const who = { by: 'bob', reason: 'an incident' };
    for (const [name, word] of [
      ['freeze', who],
      ['freeze', { ...who, scope: { server: 'a' } }],
      ['freeze', { scope: {} }],
      ['unfreeze', who],
    ] as const) {
      expect([name, word, await refusal(handle.executeUpdate(name, { args: [word] }))]).toEqual([
        name,
        word,
        'RequestInvalid',
      ]);
    }
    expect((await handle.query(freezesQuery)).freezes).toEqual([]);
    const frozen = await freeze({});
    await unfreeze(frozen.id);
    expect(await refusal(unfreeze(frozen.id))).toBe('UnknownFreeze');
  });

  it('count a click once, however often it comes', async () => {
    await startFreezes();
    const click = () =>
      handle.executeUpdate(freezeUpdate, { updateId: 'click-1', args: [{ scope: {}, by: 'ann', reason: 'stop' }] });
    expect(await click()).toEqual(await click());
    expect((await view()).freezes).toHaveLength(1);
  });

  it('that nobody could be told of are told once that is possible', async () => {
    world.fail('announceFreezes', 'unavailable', { times: 2 });
    await startFreezes();
    const holder = await startWatcher('a');
    await createFreezeActivities(rig.client).watchFreezes({ holder, service: 'sample' });
    await until(
      () => toldTo(holder),
      ({ length }) => length > 0,
      '1s',
    );
  });

  it('are told to the releases of before when somebody has terminated the run that knew them', async () => {
    await startFreezes();
    const holder = await startWatcher('a');
    await watch(holder);
    const frozen = await freeze({});
    const { number } = await toldNext(holder, 1);
    await handle.terminate('by mistake');
    world.listed = [{ holder, service: 'sample' }];
    await startFreezes();
    const told = await toldNext(holder, 2);
    expect(told.freezes).toEqual([]);
    expect(told.number).toBeGreaterThan(number);
    const again = await freeze({});
    expect((await toldNext(holder, 3)).freezes).toEqual([again]);
    expect(again.id).not.toBe(frozen.id);
  });

  it('go on as they were in a new run: who asks, what is frozen, who is told, and what the ledger misses', async () => {
    const [holder, asks] = [await startWatcher('a'), await startWatcher('b')];
    const frozen: Freeze = { id: 'f1', scope: {}, by: 'ann', reason: 'stop', at: '2026-01-01T00:00:00.000Z' };
    await startFreezes({
      list: { number: 7, freezes: [frozen] },
      announced: 6,
      watchers: [
        { holder, service: 'sample' },
        { holder: asks, service: 'other' },
      ],
      asking: [{ holder: asks, service: 'other' }],
      untold: [{ kind: 'freeze', ...frozen }],
    });
    expect(await toldNext(holder, 0)).toEqual({ number: 7, freezes: [frozen] });
    expect(await toldNext(asks, 1)).toEqual({ number: 7, freezes: [frozen] });
    await until(
      () => [...world.freezes.keys()],
      (keys) => keys.includes('f1 freeze'),
    );
    expect(await unfreeze('f1')).toEqual(frozen);
  });
});
