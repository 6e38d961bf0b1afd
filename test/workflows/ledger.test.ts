/** What a release tells the ledger, and what happens when the ledger is away. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { rejudge } from '../../domain/judge/rejudge.ts';
import type { LedgerEntry } from '../../domain/ledger.ts';
import { abortUpdate, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import type { rejudge as rejudgeWorkflow, verifyAudit } from '../../workflows/ledger.ts';
import type { rollback } from '../../workflows/rollback.ts';
import { askedBy } from '../event-summaries.ts';
import {
  approve,
  ended,
  expectServing,
  type Handle,
  lane,
  released,
  rig,
  start,
  startRelease,
  until,
  waitsForApproval,
  world,
} from './release-rig.ts';

jest.setTimeout(300_000);
beforeEach(start);
afterEach(() => rig?.stop());

const waitsForLedger = (view: { wait?: { reason: string } }) => view.wait?.reason === 'ledger';

/** What the ledger has of a release, in order. */
const toldOf = (version: string): readonly LedgerEntry[] =>
  [...world.ledger].filter(([key]) => key.startsWith(`release/sample/${version} `)).map(([, entry]) => entry);

/** The ledger is away while this says so. */
function awayWhile(away: () => boolean): void {
  world.fail('writeLedger', 'unavailable', { times: Number.POSITIVE_INFINITY, when: away });
}

/** How often a run called the ledger: from the worker that had it, and through Temporal while it was away. */
async function callsOf(handle: Handle): Promise<{ events: number; near: number; away: number }> {
  const { events } = await handle.fetchHistory();
  const all = events ?? [];
  const calls = askedBy(all).filter(({ name }) => name === 'writeLedger');
  const away = all.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'writeLedger');
  return { events: all.length, near: calls.length - away.length, away: away.length };
}

describe('a release', () => {
  it('tells the ledger all of it, with one call a step', async () => {
    await released('1.0.0');
    const { view } = await released('2.0.0');
    const told = toldOf('2.0.0');
    expect(told.map(({ kind }) => kind).filter((kind) => kind !== 'step')).toEqual([
      'begun',
      'planned',
      'bundle',
      'approval',
      ...view.verdicts.map(() => 'verdict'),
      'ended',
    ]);
    expect(told[0]).toMatchObject({ by: 'ann', request: { service: 'sample', whenBusy: 'wait' } });
    expect(told[1]).toMatchObject({ digest: view.plan?.digest, plan: view.plan });
    expect(told.at(-1)).toMatchObject({ outcome: 'released' });
    const lastOfEach = new Map(told.flatMap((entry) => (entry.kind === 'step' ? [[entry.step.id, entry.step]] : [])));
    expect([...lastOfEach.values()]).toEqual(view.steps);
    const handle = rig.client.getHandle(releaseWorkflowId('sample', '2.0.0')) as Handle;
    const { events, ...calls } = await callsOf(handle);
    expect(calls).toEqual({ near: view.steps.length + 1, away: 0 });
    expect(events).toBeLessThan(400);
  });

  it('keeps verdicts that are found again from what they rest on', async () => {
    await released('1.0.0');
    await released('2.0.0');
    const verdicts = toldOf('2.0.0').flatMap((entry) => (entry.kind === 'verdict' ? [entry] : []));
    expect(verdicts.length).toBeGreaterThan(0);
    for (const { verdict, inputs } of verdicts) {
      expect(rejudge(inputs as Parameters<typeof rejudge>[0], undefined)).toEqual(verdict);
    }
  });
});

describe('the audit', () => {
  it('is walked where the ledger is', async () => {
    await released('1.0.0');
    const options = { taskQueue: TASK_QUEUE, workflowId: 'verify-audit', args: [] as [] };
    const report = await rig.client.execute<typeof verifyAudit>(WorkflowType.VerifyAudit, options);
    expect(report).toEqual({ rows: world.ledger.size, hash: expect.stringMatching(/^sha256:/) });
  });
});

describe('a past release', () => {
  it('is judged again where the ledger is, and comes out the same', async () => {
    await released('1.0.0');
    await released('2.0.0');
    const order = { release: 'release/sample/2.0.0' };
    const options = { taskQueue: TASK_QUEUE, workflowId: 'rejudge', args: [order] as [typeof order] };
    const verdicts = await rig.client.execute<typeof rejudgeWorkflow>(WorkflowType.Rejudge, options);
    expect(verdicts.length).toBeGreaterThan(0);
    for (const { before, differences, now, step } of verdicts) {
      expect({ differences, result: now.result, step }).toEqual({
        ...{ differences: [], result: before.result, step: expect.stringMatching(/^(hold|judge)-prod/) },
      });
    }
  });
});

describe('while the ledger is away', () => {
  it('nothing goes forward, and the release says why; then it goes on', async () => {
    let away = true;
    awayWhile(() => away);
    const handle = await startRelease('1.0.0');
    await until(handle, ({ plan }) => plan !== undefined);
    await rig.passTime('20s');
    const { wait } = await until(handle, waitsForLedger);
    expect(wait).toEqual({
      reason: 'ledger',
      sentence: expect.stringContaining("the ledger can't be written: "),
      since: expect.any(String),
      endedBy: 'the ledger, when it answers again',
      deadline: expect.any(String),
      atDeadline: 'it is asked again',
    });
    expect(Date.parse(wait?.deadline ?? '') - Date.parse(wait?.since ?? '')).toBe(24 * 3600 * 1000);
    await rig.passTime('10m');
    expect(world.effects).toEqual([]);
    expect(world.ledger.size).toBe(0);

    away = false;
    await rig.passTime('15s');
    await approve(handle);
    const { outcome } = await ended(handle);
    expect(outcome).toBe('released');
    await expectServing('1.0.0', 'r1', 4);
    expect(toldOf('1.0.0').at(-1)).toMatchObject({ kind: 'ended', outcome: 'released' });
    // However long it was away, the history does not grow.
    const { view } = await handle.result();
    expect(await callsOf(handle)).toMatchObject({ near: view.steps.length + 1, away: 1 });
  });

  it('a day does not end the wait', async () => {
    let away = true;
    awayWhile(() => away);
    const handle = await startRelease('1.0.0');
    await until(handle, ({ plan }) => plan !== undefined);
    await rig.passTime('20s');
    const { wait: first } = await until(handle, waitsForLedger);
    // In hours: a call that skips all of it at once may last longer than calls do, and would be made again.
    for (let hour = 0; hour < 25; hour++) await rig.passTime('1h');
    const { wait: second } = await until(handle, (view) => waitsForLedger(view) && view.wait?.since !== first?.since);
    expect(second?.sentence).toContain("the ledger can't be written");
    expect(world.effects).toEqual([]);
    away = false;
    await rig.passTime('15s');
    await until(handle, waitsForApproval);
  });

  it('a bad canary is rolled back all the same, and the ledger is told when it is back', async () => {
    await released('1.0.0');
    world.errorPercent = { '2.0.0': 60 };
    let away = false;
    awayWhile(() => away);
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, ({ wait }) => wait?.reason === 'canary-figures');
    away = true;
    const told = toldOf('2.0.0').length;
    await rig.passTime('30s');
    const { outcome } = await until(handle, (view) => view.outcome !== undefined);
    expect(outcome).toBe('rolled-back');
    await expectServing('1.0.0', 'r1', 4);
    expect((await lane('prod')).holder).toBeUndefined();
    expect(toldOf('2.0.0')).toHaveLength(told);

    await rig.passTime('20s');
    await until(handle, waitsForLedger);
    away = false;
    await rig.passTime('15s');
    await handle.result();
    const kinds = toldOf('2.0.0').map(({ kind }) => kind);
    expect(kinds).toContain('rollback');
    expect(toldOf('2.0.0').at(-1)).toMatchObject({ kind: 'ended', outcome: 'rolled-back' });
  });

  it('an abort ends the wait at once', async () => {
    await released('1.0.0');
    let away = false;
    awayWhile(() => away);
    const handle = await startRelease('2.0.0');
    await until(handle, waitsForApproval);
    away = true;
    await approve(handle);
    await rig.passTime('20s');
    await until(handle, waitsForLedger);
    const before = world.effects.length;
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'no ledger' }] });
    const { outcome } = await until(handle, (view) => view.outcome !== undefined);
    expect(outcome).toBe('aborted');
    expect(world.effects.slice(before).filter((effect) => effect.includes('/prod/'))).toEqual([]);
    away = false;
    await rig.passTime('30s');
    await handle.result();
    expect(toldOf('2.0.0').at(-2)).not.toEqual(toldOf('2.0.0').at(-1));
    expect(toldOf('2.0.0')).toContainEqual(
      expect.objectContaining({ kind: 'stopped', by: 'bob', type: 'Aborted', reason: 'no ledger' }),
    );
  });

  it('a rollback after the end goes back, and tells it all at once later', async () => {
    await released('1.0.0');
    await released('2.0.0');
    let away = true;
    awayWhile(() => away);
    const key = 'back';
    const handle = await rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', key),
      args: [{ key, service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'slow' }],
    });
    await until(handle, ({ outcome }) => outcome === 'rolled-back');
    expect(world.traffic.get('prod/sample')).toEqual({ r3: 100 });
    expect(toldOf(key)).toEqual([]);
    away = false;
    await rig.passTime('30s');
    await handle.result();
    expect(toldOf(key).map(({ kind }) => kind)).toEqual([
      ...['begun', 'step', 'bundle', 'step', 'rollback', 'vetoed', 'ended'],
    ]);
  });
});
