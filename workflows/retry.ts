import { isCancellation } from '@temporalio/workflow';
import { FailureType } from '../domain/failures.ts';
import type { Step, StepKind } from '../domain/plan.ts';
import type { ReleaseFailure } from '../domain/release.ts';
import { WaitReason } from '../domain/wait.ts';
import type { Controls } from './controls.ts';
import { failureFrom } from './failure.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** What fails there may be mended from outside while the release waits, and has given production nothing yet. */
const TRIED_AGAIN: ReadonlySet<StepKind> = new Set(['build', 'deploy', 'test', 'promote']);

/** What no second try can mend. */
const LASTING: ReadonlySet<string> = new Set([
  FailureType.NotPermitted,
  FailureType.HeldTooLong,
  FailureType.PlanOutdated,
  FailureType.LaneBusy,
  FailureType.Superseded,
  FailureType.Vetoed,
]);

/** Why the step failed, when it may be tried again; undefined when it may not. */
export function failureToRetry(step: Step, error: unknown): ReleaseFailure | undefined {
  if (!TRIED_AGAIN.has(step.kind) || isCancellation(error)) return undefined;
  const failure = failureFrom(error);
  return failure && !LASTING.has(failure.type) ? failure : undefined;
}

/** Waits until somebody has a failed step tried again. @returns false when nobody did in time */
export async function untilRetried(
  step: Step,
  failure: ReleaseFailure,
  seconds: number,
  controls: Controls,
  board: WaitBoard,
): Promise<boolean> {
  const isRetried = controls.mayRetry(step.id);
  const retried = await waitFor(
    board,
    {
      reason: WaitReason.Retry,
      sentence: `${step.id} failed: ${failure.message}`,
      endedBy: 'a person who has it tried again, or aborts the release',
      seconds,
      atDeadline: 'the release ends, and what it changed is undone',
    },
    isRetried,
  );
  if (!retried) controls.retryIsOver();
  return retried;
}
