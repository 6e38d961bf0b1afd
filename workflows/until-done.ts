import { isCancellation, log } from '@temporalio/workflow';
import { FailureType } from '../domain/failures.ts';
import { WaitReason } from '../domain/wait.ts';
import { failureFrom } from './failure.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** What the gate says of an effect that may not begin. */
const HELD_UP: ReadonlySet<string> = new Set([FailureType.HeldTooLong, FailureType.InstancesUnhealthy]);
/** Pause between two tries. */
const RETRY_SECONDS = 15;

/**
 * Does work that must not end half way, such as going back: what fails is shown as a wait, and tried again until it
 * works. The work must be idempotent.
 *
 * @param what such as `going back in prod`
 * @throws CancelledFailure when the surrounding scope is cancelled
 */
export async function untilDone(board: WaitBoard, what: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const failure = isCancellation(error) ? undefined : failureFrom(error);
      // What is held up for too long is not tried again behind people's backs.
      if (!failure || HELD_UP.has(failure.type)) throw error;
      log.error(`${what} failed`, { failure });
      await waitFor(board, {
        reason: WaitReason.Restore,
        sentence: `${what} failed: ${failure.message}`,
        endedBy: 'time, or a person who mends what it names',
        seconds: RETRY_SECONDS,
        atDeadline: 'it is tried again',
      });
    }
  }
}
