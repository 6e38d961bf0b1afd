import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import { type Refusal, refuseApproval } from '../domain/approval.ts';
import { refuseStep } from '../domain/controls.ts';
import { FailureType } from '../domain/failures.ts';
import { refuseWord } from '../domain/word.ts';
import {
  abortUpdate,
  admittedSignal,
  adoptUpdate,
  approveUpdate,
  type CommandInput,
  freezesChangedSignal,
  type ReleaseInput,
  type ReleaseResult,
  rejectUpdate,
  releaseQuery,
  revertUpdate,
  rollbackUpdate,
  supersededSignal,
} from './contract.ts';
import { ReleaseRun } from './release-run.ts';
import { untilAnswered } from './wait.ts';

/**
 * Takes a bundle from a commit to the end of its way. A business failure is a result: what it changed is restored and
 * the outcome says why. Cancelled from the Temporal UI it restores too, and ends as cancelled.
 */
export async function release(input: ReleaseInput): Promise<ReleaseResult> {
  const run = new ReleaseRun(input);
  const { record } = run;

  setHandler(releaseQuery, () => record.view());
  setHandler(admittedSignal, (admission) => {
    run.lanes.answers.set(admission.environment, admission);
  });
  setHandler(freezesChangedSignal, (list) => run.gate.take(list));
  run.controls.listen();
  setHandler(supersededSignal, ({ by, environment }) => run.supersede(by, environment));
  setHandler(
    approveUpdate,
    ({ by, planDigest }) => {
      const step = run.approvals.pending?.step ?? '';
      const approval = { by, step, planDigest, at: new Date().toISOString() };
      record.approved(approval);
      return approval;
    },
    {
      validator: (approval) => {
        refuseAs(refuseWord(approval, 'by', 'planDigest'));
        const { expired, pending } = run.approvals;
        if (expired) refuse(FailureType.ApprovalExpired, expired);
        refuseOver();
        const meant = approval.planDigest === run.plan?.digest ? refuseStep(approval.step, run.plan) : undefined;
        const refusal = meant ?? refuseApproval(pending, record.approvals, approval, new Date().toISOString());
        refuseAs(refusal);
      },
    },
  );
  for (const [verb, update] of [
    ['adopt', adoptUpdate],
    ['revert', revertUpdate],
  ] as const) {
    setHandler(update, (command: CommandInput) => run.drift.want({ ...command, verb }), {
      validator: (command: CommandInput) => {
        refuseWhenOver(command);
        run.drift.refuse(verb);
      },
    });
  }
  setHandler(
    rejectUpdate,
    (command: CommandInput) => run.interrupt({ outcome: 'aborted', type: FailureType.ApprovalRejected, ...command }),
    {
      validator: (command: CommandInput) => {
        refuseWhenOver(command);
        if (!run.approvals.pending) refuse(FailureType.NotWaiting, 'no approval is waited for now');
      },
    },
  );
  setHandler(
    abortUpdate,
    (command: CommandInput) => run.interrupt({ outcome: 'aborted', type: FailureType.Aborted, ...command }),
    { validator: refuseWhenOver },
  );
  setHandler(
    rollbackUpdate,
    (command: CommandInput) => run.interrupt({ outcome: 'rolled-back', type: FailureType.Aborted, ...command }),
    {
      validator: (command: CommandInput) => {
        refuseWhenOver(command);
        if (!run.hasTouched) refuse(FailureType.NothingToRollBackTo, 'the release has changed nothing yet; abort it');
      },
    },
  );

  /** What every word but an approval must be, and when it comes too late. */
  function refuseWhenOver(command: CommandInput): void {
    refuseAs(refuseWord(command, 'by', 'reason'));
    refuseOver();
  }

  function refuseOver(): void {
    if (!run.isForward) refuse(FailureType.ReleaseOver, 'the release has ended or is being undone');
  }

  try {
    await run.run();
  } finally {
    await untilAnswered();
  }
  const view = record.view();
  return { outcome: view.outcome ?? 'failed', view };
}

function refuseAs(refusal: Refusal | undefined): void {
  if (refusal) refuse(refusal.type, refusal.message);
}

function refuse(type: FailureType, message: string): never {
  throw ApplicationFailure.nonRetryable(message, type);
}
