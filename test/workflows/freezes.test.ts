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

jest.setTimeout(180_000);

let rig: WorkflowRig;
let world: World;
let handle: WorkflowHandle<typeof freezes>;

beforeEach(async () => {
  world = new World();
  rig = await startWorkflowRig(world.activities(() => rig.client));
});
afterEach(() => rig.stop());

async function startFreezes(carried?: Partial<FreezesCarried>): Promise<void> {
  const nothing: FreezesCarried = { list: { number: 0, freezes: [] }, announced: 0, watchers: [], untold: [] };
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

const watch = (holder: string, service = 'sample') =>
  createFreezeActivities(rig.client).watchFreezes({ holder, service });
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
  const deadline = Date.now() + 30_000;
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
    for (const holder of [first, second]) expect(await watch(holder)).toEqual({ number: 0, freezes: [] });
    const frozen = await freeze({ environment: 'prod' });
    expect(frozen).toMatchObject({ scope: { environment: 'prod' }, by: 'ann', reason: 'an incident' });
    for (const holder of [first, second]) {
      const told = await until(
        () => toldTo(holder),
        (lists) => lists.length > 0,
      );
      expect(told).toEqual([{ number: 1, freezes: [frozen] }]);
    }
    expect(await watch(await startWatcher('c'))).toEqual({ number: 1, freezes: [frozen] });
    expect(await unfreeze(frozen.id)).toEqual(frozen);
    const told = await until(
      () => toldTo(first),
      (lists) => lists.length > 1,
    );
    expect(told[1]).toEqual({ number: 2, freezes: [] });
    expect((await view()).freezes).toEqual([]);
  });

  it('of another service are not among those that a release is told', async () => {
    await startFreezes();
    const holder = await startWatcher('a');
    await watch(holder);
    await freeze({ service: 'other', environment: 'prod' });
    const all = await freeze({});
    const told = await until(
      () => toldTo(holder),
      (lists) => lists.length > 1,
    );
    expect(told.find(({ number }) => number === 1)?.freezes).toEqual([]);
    expect(told.find(({ number }) => number === 2)?.freezes).toEqual([all]);
  });

  it('are over when their time has come, and that is told and written down', async () => {
    await startFreezes();
    const holder = await startWatcher('a');
    await watch(holder);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const frozen = await freeze({}, soon);
    const waiting = await until(view, ({ wait }) => wait !== undefined);
    expect(waiting.wait).toMatchObject({ reason: 'freeze', deadline: soon, atDeadline: 'the freeze is over' });
    await until(view, ({ freezes }) => freezes.length === 0, '1h');
    const told = await until(
      () => toldTo(holder),
      (lists) => lists.length > 1,
    );
    expect(told.at(-1)).toEqual({ number: 2, freezes: [] });
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
    world.fail('writeFreezes', 'unavailable', { times: 3 });
    await startFreezes();
    const holder = await startWatcher('a');
    await watch(holder);
    const frozen = await freeze({});
    await until(
      () => toldTo(holder),
      (lists) => lists.length > 0,
    );
    expect(world.freezes.size).toBe(0);
    await unfreeze(frozen.id);
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
    expect(await toldTo(stays)).toHaveLength(1);
    expect(await toldTo(left)).toEqual([]);
  });

  it('refuse to lift what is not frozen, and an end that is past', async () => {
    await startFreezes();
    expect(await refusal(unfreeze('nothing'))).toBe('UnknownFreeze');
    expect(await refusal(freeze({}, '2020-01-01T00:00:00Z'))).toBe('RequestInvalid');
    expect(await refusal(freeze({}, 'tomorrow'))).toBe('RequestInvalid');
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

  it('go on as they were in a new run: what is frozen, who is told, and what the ledger still misses', async () => {
    const holder = await startWatcher('a');
    const frozen: Freeze = { id: 'f1', scope: {}, by: 'ann', reason: 'stop', at: '2026-01-01T00:00:00.000Z' };
    await startFreezes({
      list: { number: 7, freezes: [frozen] },
      announced: 6,
      watchers: [{ holder, service: 'sample' }],
      untold: [{ kind: 'freeze', ...frozen }],
    });
    const told = await until(
      () => toldTo(holder),
      (lists) => lists.length > 0,
    );
    expect(told).toEqual([{ number: 7, freezes: [frozen] }]);
    await until(
      () => [...world.freezes.keys()],
      (keys) => keys.includes('f1 freeze'),
    );
    expect(await unfreeze('f1')).toEqual(frozen);
  });
});
