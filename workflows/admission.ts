import { ApplicationFailure, getExternalWorkflowHandle, log } from '@temporalio/workflow';
import type { LaneActivities } from '../activities/lane/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { WaitReason } from '../domain/wait.ts';
import { type Admission, type AdmissionRequest, laneWorkflowId, leaveSignal } from './contract.ts';
import { activities, READ } from './options.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** Longest wait for a lane; a release before may bake or wait for people. */
const ADMISSION_SECONDS = 24 * 3600;

/**
 * Asks for a lane and waits until it is the release's.
 *
 * @param answers where the `admitted` signal leaves the lane's answers, by environment
 * @throws ApplicationFailure `LaneBusy` when another release holds it and the request asked not to wait,
 * `DeadlineExceeded` after a day
 */
export async function enterLane(
  request: AdmissionRequest,
  answers: ReadonlyMap<string, Admission>,
  board: WaitBoard,
): Promise<LaneState> {
  const { environment, service } = request;
  await activities<LaneActivities>(READ, `Ask for the lane of ${service} in ${environment}`).askAdmission(request);
  const answered = await waitFor(
    board,
    {
      reason: WaitReason.Admission,
      sentence: `waiting for the lane of ${service} in ${environment}`,
      endedBy: 'the release that holds it',
      seconds: ADMISSION_SECONDS,
      atDeadline: 'the release ends as failed',
    },
    () => answers.has(environment),
  );
  const answer = answers.get(environment);
  if (answer?.admitted) return answer.state;
  throw answered
    ? ApplicationFailure.nonRetryable(
        `${answer?.holder} holds ${environment} and was not to be waited for`,
        FailureType.LaneBusy,
      )
    : ApplicationFailure.nonRetryable(`${environment} was not free for a day`, FailureType.DeadlineExceeded);
}

/**
 * Gives a lane back, or leaves its queue.
 *
 * @param state what the lane shall know; absent when nothing was changed there
 */
export async function leaveLane(request: AdmissionRequest, state?: LaneState): Promise<void> {
  const { environment, service, holder } = request;
  try {
    await getExternalWorkflowHandle(laneWorkflowId(environment, service)).signal(leaveSignal, {
      holder,
      ...(state === undefined ? {} : { state }),
    });
  } catch (error) {
    // Lanes never end by themselves: somebody terminated it. The next release starts a new one and reads what runs.
    log.error('the lane is gone', { environment, service, holder, error });
  }
}
