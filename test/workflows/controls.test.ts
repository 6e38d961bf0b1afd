/** What people say to a release under way besides stopping it: skips, retries, and approvals by groups. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Manifest } from '../../domain/manifest.ts';
import type { ReleaseView } from '../../domain/release.ts';
import {
  abortUpdate,
  adoptUpdate,
  approveUpdate,
  type ControlInput,
  controlUpdates,
  rejectUpdate,
  releaseQuery,
  revertUpdate,
  rollbackUpdate,
} from '../../workflows/contract.ts';
import {
  approve,
  ended,
  expectServing,
  type Handle,
  lane,
  outcomes,
  released,
  rig,
  start,
  startRelease,
  until,
  waitsForApproval,
  world,
} from './release-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);

beforeEach(start);
afterEach(() => rig.stop());

const say = (
  handle: Handle,
  name: keyof typeof controlUpdates,
  by: string,
  over: Partial<ControlInput> = {},
  id?: string,
) =>
  handle.executeUpdate(controlUpdates[name], {
    args: [{ by, reason: 'because', ...over }],
    ...(id === undefined ? {} : { updateId: id }),
  });

async function refusal(update: Promise<unknown>): Promise<string | undefined | null> {
  const error = await update.then(
    (answer) => JSON.stringify(answer),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause.type : undefined;
}

const withRelease = (release: Partial<Manifest['release']>): Manifest => ({
  ...MANIFEST,
  release: { ...MANIFEST.release, ...release },
});
const inHold = (view: ReleaseView) =>
  view.steps.some(({ id, outcome }) => id.startsWith('hold-prod') && outcome === 'running');
const inJudge = (view: ReleaseView) =>
  view.steps.some(({ id, outcome }) => id === 'judge-prod' && outcome === 'running') && view.wait !== undefined;
/** Too few requests to decide: the judge looks on. */
const undecided = () => {
  world.requestsPerSecond = 1;
};

/** Holds of so many seconds. */
const holding = (seconds: number) =>
  MANIFEST.release.canary.map((entry) => (entry.kind === 'hold' ? { ...entry, seconds } : entry));
/** Far longer than it takes to say something, however slow the machine. */
const HOURS = { canary: holding(3 * 3600), bakeSeconds: 3 * 3600 };

/** A second version that has come to its hold. @param release what its manifest says of it */
async function inProduction(version: string, release: Partial<Manifest['release']>): Promise<Handle> {
  await released('1.0.0');
  world.manifest = withRelease(release);
  const handle = await startRelease(version);
  await approve(handle);
  await until(handle, inHold);
  return handle;
}

describe('a hold', () => {
  it('and a bake are skipped by one person, each by its own word', async () => {
    undecided();
    const handle = await inProduction('2.0.0', HOURS);
    expect(await say(handle, 'skipHold', 'ann', { step: 'hold-prod' })).toMatchObject({
      command: { name: 'skipHold', by: 'ann', about: 'hold-prod' },
      missing: 0,
    });
    await until(handle, inJudge);
    await say(handle, 'skipAnalysis', 'bob');
    await say(handle, 'skipAnalysis', 'cat');
    await until(handle, ({ wait }) => wait?.reason === 'bake');
    await say(handle, 'skipHold', 'dan');
    const { outcome, view } = await ended(handle, '0s');
    expect(outcome).toBe('released');
    expect(outcomes(view)).toMatchObject({
      'hold-prod': 'skipped',
      'judge-prod': 'skipped',
      'shift-prod-3': 'done',
      'bake-prod': 'skipped',
    });
    expect(view.steps.find(({ id }) => id === 'judge-prod')?.detail).toBe('skipped by bob and cat');
    await expectServing('2.0.0', 'r2', 4);
  });
});

describe('analysis', () => {
  it('is skipped by two people, neither of whom asked for the release, each once', async () => {
    undecided();
    const handle = await inProduction('2.0.0', { canary: holding(120) });
    await rig.passTime('121s');
    await until(handle, inJudge);
    expect(await refusal(say(handle, 'skipAnalysis', 'ann'))).toBe('SelfApproval');
    expect(await say(handle, 'skipAnalysis', 'bob', {}, 'click-1')).toMatchObject({ missing: 1 });
    expect(await say(handle, 'skipAnalysis', 'bob', {}, 'click-1')).toMatchObject({ missing: 1 });
    expect(await refusal(say(handle, 'skipAnalysis', 'bob'))).toBe('AlreadySaid');
    expect(inJudge(await handle.query(releaseQuery))).toBe(true);
    expect(await say(handle, 'skipAnalysis', 'cat')).toMatchObject({ missing: 0 });
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('released');
    expect(view.steps.find(({ id }) => id === 'judge-prod')).toMatchObject({
      outcome: 'skipped',
      detail: 'skipped by bob and cat',
    });
    expect(view.verdicts.map(({ result }) => result)).not.toContain('pass');
  });
});

describe('promoting fully', () => {
  it('skips what holds up the environment by as many people as that needs, and no bake', async () => {
    const canary = [...HOURS.canary, { kind: 'approve', count: 2 } as const, { kind: 'hold', seconds: 99 } as const];
    world.groups = { managers: ['bob', 'cat', 'dan'] };
    world.manifest = withRelease({ canary, approvals: { count: 1, group: 'managers', expiresSeconds: 3600 } });
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, inHold);
    expect(await refusal(say(handle, 'promoteFully', 'ann'))).toBe('SelfApproval');
    expect(await refusal(say(handle, 'promoteFully', 'eve'))).toBe('NotInGroup');
    expect(await say(handle, 'promoteFully', 'bob')).toMatchObject({ missing: 1 });
    expect(await say(handle, 'promoteFully', 'cat')).toMatchObject({ missing: 0, command: { about: 'prod' } });
    const view = await until(handle, ({ wait }) => wait?.reason === 'bake');
    expect(outcomes(view)).toMatchObject({
      'hold-prod-1': 'skipped',
      'judge-prod': 'skipped',
      'approve-prod-2': 'skipped',
      'hold-prod-2': 'skipped',
      'shift-prod-3': 'done',
    });
    expect((await ended(handle)).outcome).toBe('released');
    await expectServing('2.0.0', 'r2', 4);
  });
});

describe('a step that failed', () => {
  const retried = () => {
    world.manifest = withRelease({ retryWithinSeconds: 600 });
  };
  const waits = ({ wait }: ReleaseView) => wait?.reason === 'retry';

  it('is tried again when somebody says so, and what it had completed is not done again', async () => {
    retried();
    let creations = 0;
    world.fail('ensureRevision', 'refused', {
      when: ({ app }: { app: { id: string } }) => {
        if (app.id === '/fat/sample/r1') creations++;
        return false;
      },
    });
    world.fail('setTraffic', 'refused');
    const handle = await startRelease('1.0.0');
    const { wait } = await until(handle, waits);
    expect(wait).toMatchObject({
      sentence: 'deploy-fat failed: setTraffic was refused',
      endedBy: 'a person who has it tried again, or aborts the release',
      atDeadline: 'the release ends, and what it changed is undone',
    });
    expect(await refusal(say(handle, 'retryStep', 'bob', { step: 'test-fat' }))).toBe('NothingToRetry');
    expect(await refusal(say(handle, 'retryStep', 'bob', { step: 'deploy-moon' }))).toBe('UnknownStep');
    const before = [...world.effects];
    await say(handle, 'retryStep', 'bob', { step: 'deploy-fat' });
    await approve(handle);
    expect(world.effects.slice(before.length).filter((effect) => effect.includes('fat'))).toEqual([
      'traffic fat r1=100',
    ]);
    expect(creations).toBe(1);
    expect((await ended(handle)).outcome).toBe('released');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('of tests runs only those again that had not passed', async () => {
    const suite = (name: string) => ({ name, dockerfile: 'x', environments: ['fat'], timeoutSeconds: 60 });
    world.manifest = { ...withRelease({ retryWithinSeconds: 600 }), tests: [suite('contract'), suite('load')] };
    const runs: string[] = [];
    world.fail('runTest', 'refused', {
      times: 2,
      when: ({ suite: name }: { suite: string }) => {
        runs.push(name);
        return name === 'load' && runs.filter((run) => run === 'load').length === 1;
      },
    });
    const handle = await startRelease('1.0.0');
    await until(handle, waits);
    await say(handle, 'retryStep', 'bob');
    await until(handle, waitsForApproval);
    expect(runs.sort()).toEqual(['contract', 'load', 'load']);
    // The lane is told of what the steps before had done.
    expect((await lane('fat')).state).toMatchObject({ current: { instances: 1 }, weights: { r1: 100 } });
  });

  it('ends the release when nobody says so in time', async () => {
    retried();
    world.fail('promoteImage', 'refused');
    const handle = await startRelease('1.0.0');
    await until(handle, waits);
    const { outcome, view } = await ended(handle, '5m');
    expect({ outcome, step: view.failure?.step }).toEqual({ outcome: 'failed', step: 'promote' });
    expect(await refusal(say(handle, 'retryStep', 'bob')).catch(() => 'ended')).toBe('ended');
  });

  it('may be aborted instead', async () => {
    retried();
    world.fail('scaleRevision', 'unhealthy');
    const handle = await startRelease('1.0.0');
    await until(handle, waits);
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'enough' }] });
    expect((await ended(handle, '0s')).outcome).toBe('aborted');
    expect(world.apps.size).toBe(0);
  });

  it('ends the release at once where the manifest gives no time', async () => {
    world.fail('scaleRevision', 'unhealthy');
    expect((await ended(await startRelease('1.0.0'), '0s')).outcome).toBe('failed');
  });
});

describe('approvals', () => {
  const by = (handle: Handle, person: string, planDigest: string, step?: string) =>
    handle.executeUpdate(approveUpdate, {
      args: [{ by: person, planDigest, ...(step === undefined ? {} : { step }) }],
    });

  it('count for one step, and only from people of the group', async () => {
    world.groups = { managers: ['ann', 'bob', 'cat'] };
    const canary = [
      { kind: 'weight', weight: 10 },
      { kind: 'approve', count: 2 },
    ] as const;
    world.manifest = withRelease({ canary, approvals: { count: 1, group: 'managers', expiresSeconds: 3600 } });
    const first = await startRelease('1.0.0');
    await approve(first);
    expect((await ended(first)).outcome).toBe('released');
    const handle = await startRelease('2.0.0');
    const { plan, wait } = await until(handle, waitsForApproval);
    const digest = plan?.digest ?? '';
    expect(wait?.endedBy).toBe('an approval by one person of managers other than ann');
    expect(await refusal(by(handle, 'eve', digest))).toBe('NotInGroup');
    expect(await refusal(by(handle, 'bob', digest, 'approve-prod-2'))).toBe('NotWaiting');
    expect(await refusal(by(handle, 'bob', digest, 'approve-moon'))).toBe('UnknownStep');
    expect(await refusal(by(handle, 'bob', 'sha256:other', 'approve-moon'))).toBe('PlanDigestMismatch');
    expect(await by(handle, 'bob', digest, 'approve-prod-1')).toMatchObject({ step: 'approve-prod-1' });
    await until(
      handle,
      (view) => waitsForApproval(view) && view.steps.some((s) => s.id === 'approve-prod-2' && s.outcome === 'running'),
    );
    await by(handle, 'bob', digest);
    expect(waitsForApproval(await handle.query(releaseQuery))).toBe(true);
    await by(handle, 'cat', digest);
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('released');
    expect(view.approvals.map(({ by, step }) => `${by} ${step}`)).toEqual([
      'bob approve-prod-1',
      'bob approve-prod-2',
      'cat approve-prod-2',
    ]);
  });

  it.each([
    ['too few people in its group', { managers: ['ann'] }],
    ['a group that is not configured', { others: ['bob'] }],
  ])('with %s are refused before anything begins', async (_, groups) => {
    world.groups = groups;
    world.manifest = withRelease({ approvals: { count: 1, group: 'managers', expiresSeconds: 60 } });
    const { outcome, view } = await ended(await startRelease('1.0.0'), '0s');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'ApprovalImpossible' });
    expect(world.effects).toEqual([]);
  });

  it('that come too late are told so, while the release goes back', async () => {
    world.manifest = withRelease({ approvals: { count: 1, expiresSeconds: 60 } });
    const handle = await startRelease('1.0.0');
    const { plan } = await until(handle, waitsForApproval);
    // It is going back, and can't end: chat is told first.
    world.fail('notify', 'held', { when: ({ kind }: { kind: string }) => kind === 'ended' });
    await rig.passTime('61s');
    await until(handle, ({ outcome }) => outcome !== undefined);
    expect(await refusal(by(handle, 'bob', plan?.digest ?? ''))).toBe('ApprovalExpired');
    world.letGo();
    const { view } = await ended(handle, '0s');
    expect(view.failure?.type).toBe('ApprovalExpired');
  });
});

describe('a word that means nothing now', () => {
  const WHY = { by: 'bob', reason: 'because' };

  it('is refused while no approval is waited for and nothing was changed by hand', async () => {
    undecided();
    const handle = await inProduction('2.0.0', HOURS);
    const { plan } = await handle.query(releaseQuery);
    const approval = { by: 'cat', planDigest: plan?.digest ?? '' };
    expect(await refusal(handle.executeUpdate(approveUpdate, { args: [approval] }))).toBe('NotWaiting');
    for (const [update, code] of [
      [rejectUpdate, 'NotWaiting'],
      [adoptUpdate, 'NoDrift'],
      [revertUpdate, 'NoDrift'],
    ] as const) {
      expect([update.name, await refusal(handle.executeUpdate(update, { args: [WHY] }))]).toEqual([update.name, code]);
    }
    // As whoever uses Temporal itself could send it.
    const updates = [approveUpdate, rejectUpdate, abortUpdate, rollbackUpdate, adoptUpdate, revertUpdate];
    for (const { name } of [...updates, ...Object.values(controlUpdates)]) {
      for (const word of [undefined, {}, { ...WHY, by: '' }]) {
        expect([name, await refusal(handle.executeUpdate(name, { args: [word] }))]).toEqual([name, 'RequestInvalid']);
      }
    }
    await handle.executeUpdate(abortUpdate, { args: [WHY] });
    expect((await ended(handle)).outcome).toBe('aborted');
  });

  it('is refused with its code, whatever it is', async () => {
    const handle = await startRelease('1.0.0');
    const { plan } = await until(handle, waitsForApproval);
    for (const [name, over, code] of [
      ['pause', { planDigest: 'sha256:other' }, 'PlanDigestMismatch'],
      ['resume', {}, 'NotPaused'],
      ['skipHold', {}, 'NothingToSkip'],
      ['skipHold', { step: 'hold-moon' }, 'UnknownStep'],
      ['skipAnalysis', {}, 'NothingToSkip'],
      ['skipAnalysis', { reason: ' ' }, 'RequestInvalid'],
      ['retryStep', {}, 'NothingToRetry'],
      ['promoteFully', { by: 'ann' }, 'SelfApproval'],
    ] as const) {
      expect([name, await refusal(say(handle, name, 'bob', over))]).toEqual([name, code]);
    }
    await say(handle, 'pause', 'bob', { planDigest: plan?.digest ?? '' });
    expect(await refusal(say(handle, 'pause', 'cat'))).toBe('AlreadyPaused');
    // It is over, and can't end: chat is told first.
    world.fail('notify', 'held', { when: ({ kind }: { kind: string }) => kind === 'ended' });
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'enough' }] });
    await until(handle, ({ outcome }) => outcome !== undefined);
    for (const name of Object.keys(controlUpdates) as (keyof typeof controlUpdates)[]) {
      expect([name, await refusal(say(handle, name, 'bob'))]).toEqual([name, 'ReleaseOver']);
    }
    const approval = { by: 'bob', planDigest: plan?.digest ?? '' };
    expect(await refusal(handle.executeUpdate(approveUpdate, { args: [approval] }))).toBe('ReleaseOver');
    for (const update of [rejectUpdate, abortUpdate, rollbackUpdate, adoptUpdate, revertUpdate]) {
      expect([update.name, await refusal(handle.executeUpdate(update, { args: [WHY] }))]).toEqual([
        update.name,
        'ReleaseOver',
      ]);
    }
    world.letGo();
    await ended(handle, '0s');
  });
});
