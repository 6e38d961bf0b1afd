import { ActivityFailure, CancellationScope, log } from '@temporalio/workflow';
import { failureFrom } from './failure.ts';
import { change, type Profile } from './options.ts';

/**
 * How what an activity has left in Mesos is ended. After five minutes without a scheduler Mesos does it by itself, so
 * nobody needs to wait longer for one that does not answer.
 */
export const END_LEFT: Profile = { ...change(60), scheduleToCloseTimeout: '5m' };

/**
 * Ends what an activity that ran a Mesos task may have left there when it failed. Temporal makes no next attempt of an
 * activity that was cancelled, so when its worker has died nobody else would. Not to be cut short. That it can't be
 * done is told to the log, and changes nothing of how the activity ended.
 *
 * @param error what the activity failed with
 * @param end of the activity of this id
 * @returns what \`end\` returns; undefined when there was nothing to do, or it failed
 */
export async function endLeft<T>(error: unknown, end: (activityId: string) => Promise<T>): Promise<T | undefined> {
  if (!(error instanceof ActivityFailure) || error.activityId === undefined) return undefined;
  const { activityId } = error;
  try {
    return await CancellationScope.nonCancellable(() => end(activityId));
  } catch (thrown) {
    const failure = failureFrom(thrown);
    if (!failure) throw thrown;
    log.error('what was left in Mesos could not be ended', { activityId, failure });
    return undefined;
  }
}
