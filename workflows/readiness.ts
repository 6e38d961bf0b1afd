import { ApplicationFailure, CancellationScope, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import type { ReadinessActivities, ReadinessInput } from '../activities/readiness/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { ShiftOrder } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import { failureFrom } from './failure.ts';
import { activities, READINESS_AWAITED, READINESS_NEAR } from './options.ts';
import type { Stage } from './stage.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** So long it is waited for what going back lacks. */
const WAIT_SECONDS = 3600;

/** One event of the history, since it is asked before every shift and nearly always finds nothing missing. */
const near = proxyLocalActivities<ReadinessActivities>({ ...READINESS_NEAR, summary: 'Is the way back ready' });

/**
 * Returns when going back from what comes next would lack nothing: every part of the old image, the old configuration,
 * and room for the instances that would have to be started again. Where nothing served before there is no way back to
 * keep open, and integration environments are not worth the wait.
 *
 * @param next how many instances of the revision before stay, and how they came to be so few. Where they went down first
 * the new ones make room for them again.
 * @throws ApplicationFailure `NotReadyToRollBack` after an hour; CancelledFailure when the surrounding scope is cancelled
 */
export async function wayBackReady(
  stage: Stage,
  next: { readonly keep: number; readonly order: ShiftOrder | undefined },
  board: WaitBoard,
): Promise<void> {
  const { current } = stage.before;
  if (!current || stage.facts.tier !== 'production') return;
  const gone = Math.max(0, current.instances - next.keep);
  const input: ReadinessInput = {
    environment: stage.facts.name,
    service: stage.service,
    image: current.bundle.image,
    configVersion: current.bundle.configVersion,
    instances: next.order === 'up-first' ? gone : 0,
    cpus: current.spec.cpus,
    memoryMiB: current.spec.memoryMiB,
    agentAttribute: stage.facts.agentAttribute,
  };
  const missing = await missingFor(input);
  if (missing !== '') await untilReady(input, missing, board);
}

/** What going back lacks, in words; empty when it is ready. What can't be learnt counts as missing. */
async function missingFor(input: ReadinessInput): Promise<string> {
  try {
    return (await near.checkRollbackReadiness(input)).map(({ sentence }) => sentence).join('; ');
  } catch (error) {
    const failure = isCancellation(error) ? undefined : failureFrom(error);
    if (!failure) throw error;
    return failure.message;
  }
}

async function untilReady(input: ReadinessInput, missing: string, board: WaitBoard): Promise<void> {
  const asking = new CancellationScope();
  let answer: { readonly failure?: unknown } | undefined;
  const awaiting = activities<ReadinessActivities>(READINESS_AWAITED, 'Until the way back is ready again');
  const asked = asking
    .run(() => awaiting.awaitRollbackReadiness({ ...input, deadlineSeconds: WAIT_SECONDS }))
    .then(
      () => {
        answer = {};
      },
      (failure: unknown) => {
        answer = { failure };
      },
    );
  try {
    const answered = await waitFor(
      board,
      {
        reason: WaitReason.RollbackReadiness,
        sentence: `the way back is not ready: ${missing}`,
        endedBy: 'whoever brings what is missing',
        seconds: WAIT_SECONDS,
        atDeadline: 'the release goes back',
      },
      () => answer !== undefined,
    );
    if (!answered) throw ApplicationFailure.nonRetryable(missing, FailureType.NotReadyToRollBack);
  } finally {
    asking.cancel();
    await CancellationScope.nonCancellable(() => asked);
  }
  if (answer?.failure !== undefined) throw answer.failure;
}
