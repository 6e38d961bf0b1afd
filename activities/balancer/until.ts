import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../../domain/failures.ts';

/** What a look saw: the end of the wait, or what is still missing, in words. */
export type Look<T> = { readonly done: T } | { readonly missing: string };

export interface Wait {
  /** What is waited for, as in `waited 30 s for <what>`. */
  readonly what: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** Type of the failure at the deadline. */
  readonly failure: FailureType;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** What is done is seen at most a tenth of the wait, and 0.05 s, too late: a way back waits for it. */
const GROWTH = 1.1;

/** The deadline that lies so many seconds from now. */
export const deadlineIn = (seconds: number): number => performance.now() + seconds * 1000;

/**
 * Looks until the wait is over, with pauses that grow from 0.05 to 0.5 s; looks at least once, and once more at the
 * deadline. A retryable failure of a look is a look that saw nothing; others end the wait. Heartbeats before each look;
 * fails with `CancelledFailure` when the activity is cancelled.
 */
export async function until<T>(wait: Wait, look: () => Promise<Look<T>>): Promise<T> {
  const context = Context.current();
  const started = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS)) {
    const last = performance.now() >= wait.deadline;
    let missing: string;
    context.heartbeat();
    try {
      const seen = await look();
      if ('done' in seen) return seen.done;
      missing = seen.missing;
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
      missing = error.message;
    }
    if (last) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      throw ApplicationFailure.create({
        type: wait.failure,
        message: `waited ${seconds} s for ${wait.what}: ${missing}`,
        details: [{ missing }],
      });
    }
    await context.sleep(Math.min(pause, Math.max(0, wait.deadline - performance.now())));
  }
}
