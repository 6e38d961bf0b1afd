import { ApplicationFailure, getExternalWorkflowHandle, log } from '@temporalio/workflow';
import type { LaneActivities } from '../activities/lane/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import type { Veto } from '../domain/veto.ts';
import { WaitReason } from '../domain/wait.ts';
import { ask } from './ask.ts';
import { type Admission, type AdmissionRequest, laneWorkflowId, leaveSignal } from './contract.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** Longest wait for a lane; a release before may bake or wait for people. */
const ADMISSION_SECONDS = 24 * 3600;

/**
 * Asks for a lane and waits until it is the release's.
 *
 * @param answers where the `admitted` signal leaves the lane's answers, by environment
 * @throws ApplicationFailure `LaneBusy` or `Drifted` when it is not free and the request asked not to wait, `Superseded`
 * when another release has taken its place, `DeadlineExceeded` after a day
 */
export async function enterLane(
  request: AdmissionRequest,
  answers: ReadonlyMap<string, Admission>,
  board: WaitBoard,
): Promise<LaneState> {
  const { environment, service } = request;
  await ask<LaneActivities, void>(`Ask for the lane of ${service} in ${environment}`, (lanes) =>
    lanes.askAdmission(request),
  );
  const deadline = Date.now() + ADMISSION_SECONDS * 1000;
  let answer = answers.get(environment);
  do {
    const later = answer?.admitted === 'later' ? answer : undefined;
    await waitFor(
      board,
      {
        reason: WaitReason.Admission,
        sentence: `waiting for the lane of ${service} in ${environment}${later ? `: ${later.because}` : ''}`,
        endedBy: later?.endedBy ?? 'the release that holds it',
        seconds: (deadline - Date.now()) / 1000,
        atDeadline: 'the release ends as failed',
      },
      () => answers.has(environment) && answers.get(environment) !== later,
    );
    answer = answers.get(environment);
  } while (answer?.admitted === 'later' && Date.now() < deadline);
  if (answer?.admitted === true) return answer.state;
  throw answer?.admitted === false
    ? ApplicationFailure.nonRetryable(answer.because, answer.type)
    : ApplicationFailure.nonRetryable(`${environment} was not free for a day`, FailureType.DeadlineExceeded);
}

/**
 * Gives a lane back, or leaves its queue.
 *
 * @param state what the lane shall know; absent when nothing was changed there
 * @param veto on the bundle that it went back from
 */
export async function leaveLane(request: AdmissionRequest, state?: LaneState, veto?: Veto): Promise<void> {
  const { environment, service, holder } = request;
  try {
    await getExternalWorkflowHandle(laneWorkflowId(environment, service)).signal(leaveSignal, {
      holder,
      ...(state === undefined ? {} : { state }),
      ...(veto === undefined ? {} : { veto }),
    });
  } catch (error) {
    // Lanes never end by themselves: somebody terminated it. The next release starts a new one and reads what runs.
    log.error('the lane is gone', { environment, service, holder, error });
  }
}
