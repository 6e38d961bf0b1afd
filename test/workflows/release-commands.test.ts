/** What people say to a release while it runs, and the way back after it has ended. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  abortUpdate,
  approveUpdate,
  type ReleaseResult,
  rejectUpdate,
  releaseQuery,
  releaseWorkflowId,
  rollbackUpdate,
  TASK_QUEUE,
} from '../../workflows/contract.ts';
import type { rollback } from '../../workflows/rollback.ts';
import {
  approve,
  ended,
  expectServing,
  lane,
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

/** A second release whose canary shift hangs. */
async function inTheMiddleOfAnActivity() {
  await startInRealTime();
  await released('1.0.0');
  world.fail('setTraffic', 'hang', { when: ({ shares }: { shares: Record<string, number> }) => shares['r2'] === 50 });
  const handle = await startRelease('2.0.0');
  await approve(handle);
  await until(handle, () => world.effects.includes('setTraffic hangs'));
  return handle;
}

describe('people', () => {
  async function refusal(update: Promise<unknown>): Promise<string | undefined | null> {
    const error = await update.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    return cause instanceof ApplicationFailure ? cause.type : undefined;
  }

  it('may not approve their own release, another plan, or twice by one click', async () => {
    await start();
    world.manifest = { ...MANIFEST, release: { ...MANIFEST.release, approvals: { count: 2, expiresSeconds: 60 } } };
    const handle = await startRelease('1.0.0');
    const { plan } = await until(handle, waitsForApproval);
    const planDigest = plan?.digest ?? '';
    const click = (by: string, digest: string, updateId?: string) =>
      handle.executeUpdate(approveUpdate, {
        args: [{ by, planDigest: digest }],
        ...(updateId === undefined ? {} : { updateId }),
      });
    expect(await refusal(click('ann', planDigest))).toBe('SelfApproval');
    expect(await refusal(click('bob', 'sha256:other'))).toBe('PlanDigestMismatch');
    const first = await click('bob', planDigest, 'click-1');
    expect(await click('bob', planDigest, 'click-1')).toEqual(first);
    expect(await refusal(click('bob', planDigest))).toBe('AlreadyApproved');
    expect((await handle.query(releaseQuery)).approvals).toHaveLength(1);
    await click('cat', planDigest);
    expect((await ended(handle)).outcome).toBe('released');
  });

  it('may abort while it waits for approval: nothing of production has changed', async () => {
    await startInRealTime();
    await released('1.0.0');
    const handle = await startRelease('2.0.0');
    await until(handle, waitsForApproval);
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'not today' }] });
    const { outcome, view } = await ended(handle);
    expect(outcome).toBe('aborted');
    expect(view.failure?.message).toBe('bob: not today');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('may refuse an approval, and only when one is waited for', async () => {
    await startInRealTime();
    const handle = await startRelease('1.0.0');
    await until(handle, waitsForApproval);
    await handle.executeUpdate(rejectUpdate, { args: [{ by: 'bob', reason: 'no' }] });
    const { outcome, view } = await ended(handle);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'aborted', type: 'ApprovalRejected' });
  });

  it('may not roll back what has changed nothing yet', async () => {
    await start();
    const handle = await startRelease('1.0.0');
    await until(handle, waitsForApproval);
    const command = { args: [{ by: 'bob', reason: 'back' }] } as const;
    expect(await refusal(handle.executeUpdate(rollbackUpdate, { args: [...command.args] }))).toBe(
      'NothingToRollBackTo',
    );
  });

  it('may abort in the middle of an activity: it ends first, then everything goes back', async () => {
    const handle = await inTheMiddleOfAnActivity();
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'stop' }] });
    expect((await ended(handle)).outcome).toBe('aborted');
    await expectServing('1.0.0', 'r1', 4);
  });

  it('may abort in the last activity: it may end well all the same, and the release goes back', async () => {
    await startInRealTime();
    await released('1.0.0');
    world.fail('deleteRevision', 'deaf', { when: ({ appId }: { appId: string }) => appId === '/prod/sample/r1' });
    const handle = await startRelease('2.0.0');
    await approve(handle);
    await until(handle, () => world.effects.includes('deleteRevision hangs'));
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'bob', reason: 'stop' }] });
    const { outcome, view } = await ended(handle);
    expect({ outcome, step: view.failure?.step }).toEqual({ outcome: 'aborted', step: 'retire-prod' });
    await expectServing('1.0.0', 'r1', 4);
  });
});

describe('a release that is cancelled from the Temporal UI', () => {
  it('restores what served, ends as cancelled, and says nothing of its bundle', async () => {
    const handle = await inTheMiddleOfAnActivity();
    await handle.cancel();
    const error = await handle.result().catch((thrown: unknown) => thrown);
    expect(error instanceof WorkflowFailedError ? error.cause : error).toBeInstanceOf(CancelledFailure);
    const { failure, outcome } = await handle.query(releaseQuery);
    expect({ outcome, failure }).toMatchObject({
      outcome: 'aborted',
      failure: { type: 'Aborted', message: 'the workflow was cancelled' },
    });
    await expectServing('1.0.0', 'r1', 4);
    expect((await lane('prod')).state.vetoes ?? []).toEqual([]);
    expect([...world.ledger.values()].at(-1)).toMatchObject({ kind: 'ended', outcome: 'aborted' });
  });
});

describe('a rollback after the end', () => {
  const startBack = (key: string, bundle?: string) =>
    rig.client.start<typeof rollback>('rollback', {
      taskQueue: TASK_QUEUE,
      workflowId: releaseWorkflowId('sample', key),
      args: [
        {
          ...{ key, service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'customers complain' },
          ...(bundle === undefined ? {} : { bundle }),
        },
      ],
    });
  const goBack = async (key: string, bundle?: string): Promise<ReleaseResult> => ended(await startBack(key, bundle));

  it('brings the bundle before back as a new revision, with as many instances as serve now', async () => {
    await start();
    await released('1.0.0');
    await released('2.0.0');
    const { outcome, view } = await goBack('back-1');
    expect(outcome).toBe('rolled-back');
    expect(view.rollbacks).toMatchObject([{ environment: 'prod', reason: 'customers complain' }]);
    await expectServing('1.0.0', 'r3', 4);
  });

  it('does not go back twice to the version it came from', async () => {
    await start();
    await released('1.0.0');
    await released('2.0.0');
    await goBack('back-1');
    const { outcome, view } = await goBack('back-2');
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'NothingToRollBackTo' });
    await expectServing('1.0.0', 'r3', 4);
  });

  it('goes back from the release that was meant, and from no newer one', async () => {
    await start();
    await released('1.0.0');
    const second = await released('2.0.0');
    const third = await released('3.0.0');
    const { outcome, view } = await goBack('back-2', second.view.bundle?.id);
    expect({ outcome, type: view.failure?.type }).toEqual({ outcome: 'failed', type: 'PlanOutdated' });
    await expectServing('3.0.0', 'r3', 4);
    expect((await goBack('back-3', third.view.bundle?.id)).outcome).toBe('rolled-back');
    await expectServing('2.0.0', 'r4', 4);
  });

  it.each(['hang', 'deaf'] as const)(
    'restores what served when it is cancelled in an activity that may %s',
    async (fault) => {
      await startInRealTime();
      await released('1.0.0');
      await released('2.0.0');
      world.fail('setTraffic', fault, {
        when: ({ shares }: { shares: Record<string, number> }) => shares['r3'] === 100,
      });
      const handle = await startBack('back-1');
      await until(handle, () => world.effects.includes('setTraffic hangs'));
      await handle.cancel();
      const error = await handle.result().catch((thrown: unknown) => thrown);
      expect(error instanceof WorkflowFailedError ? error.cause : error).toBeInstanceOf(CancelledFailure);
      expect((await handle.query(releaseQuery)).outcome).toBe('failed');
      await expectServing('2.0.0', 'r2', 4);
    },
  );
});
