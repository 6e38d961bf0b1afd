import { Context } from '@temporalio/activity';

/** Well below every heartbeat timeout in use, so that one late beat costs nothing. */
const EVERY_MS = 2_000;

/**
 * Runs the work of an activity with a heartbeat every 2 s, so that the death of its worker is noticed, and its
 * cancellation delivered, while the work itself waits for somebody else.
 *
 * @param work gets the signal that is aborted when the activity is cancelled
 * @param details what to send with each beat, such as what a retry needs to go on
 */
export async function beating<T>(work: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(details?.()), EVERY_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
