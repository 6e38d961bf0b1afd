import { allHandlersFinished, condition } from '@temporalio/workflow';
import type { Wait, WaitReason } from '../domain/wait.ts';

/** Where a workflow shows what it waits for: its query, the Temporal UI, chat. */
export interface WaitBoard {
  /** Called with the wait when it begins and with undefined when it has ended. */
  show(wait: Wait | undefined): void;
}

export interface WaitFor {
  readonly reason: WaitReason;
  /** One plain sentence. */
  readonly sentence: string;
  /** Who or what ends it. */
  readonly endedBy: string;
  readonly seconds: number;
  /** What happens at the deadline. */
  readonly atDeadline: string;
}

/**
 * The only way a workflow waits for something that is not an activity: with a reason, a deadline, and shown.
 *
 * @param ended what ends the wait before its deadline; without it the wait lasts its whole time
 * @returns true when `ended` came true, false at the deadline
 * @throws CancelledFailure when the surrounding scope is cancelled
 */
export async function waitFor(board: WaitBoard, wait: WaitFor, ended: () => boolean = () => false): Promise<boolean> {
  if (ended()) return true;
  // A timer of no length would last as long as the server is coarse.
  if (wait.seconds <= 0) return false;
  const { seconds, ...shown } = wait;
  const since = new Date();
  const deadline = new Date(since.getTime() + seconds * 1000);
  board.show({ ...shown, since: since.toISOString(), deadline: deadline.toISOString() });
  try {
    return await condition(ended, seconds * 1000, { summary: wait.sentence });
  } finally {
    board.show(undefined);
  }
}

/**
 * For what has nothing to do until this comes true, such as a workflow that lives for ever: nobody waits for it, so
 * there is nothing to show and no deadline.
 */
export function idleUntil(needed: () => boolean): Promise<void> {
  return condition(needed);
}

/** Before a run ends: whoever is owed the answer of an Update gets it. */
export function untilAnswered(): Promise<void> {
  return condition(allHandlersFinished);
}
