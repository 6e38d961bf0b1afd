import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

/** How long to look. */
export interface Patience {
  /** By `performance.now()`. */
  readonly deadline: number;
}

/** What a wait came to: the value that fulfilled it, or what was seen and what went wrong last. */
export type Outcome<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly value: T | undefined; readonly lastError: ApplicationFailure | undefined };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** What is done is seen at most a tenth of the wait, and 0.1 s, too late: a way back waits for it. */
const GROWTH = 1.1;

/**
 * Looks again and again, with pauses that grow from 0.1 to 1 s, until `look` says done or the deadline is over; looks
 * at least once, and once more at the deadline. A retryable failure of `look` is a look that saw nothing; others end
 * the wait. Heartbeats between looks; ends with `CancelledFailure` when the activity is cancelled.
 */
export async function until<T>(
  patience: Patience,
  look: () => Promise<{ readonly done: boolean; readonly value: T }>,
): Promise<Outcome<T>> {
  const context = Context.current();
  let value: T | undefined;
  let lastError: ApplicationFailure | undefined;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS)) {
    const last = performance.now() >= patience.deadline;
    context.heartbeat();
    try {
      const seen = await look();
      if (seen.done) return { done: true, value: seen.value };
      value = seen.value;
      lastError = undefined;
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
      lastError = error;
    }
    if (last) return { done: false, value, lastError };
    await context.sleep(Math.min(pause, Math.max(0, patience.deadline - performance.now())));
  }
}
