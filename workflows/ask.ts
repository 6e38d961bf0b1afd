import { ActivityFailure, ApplicationFailure, isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import { NON_RETRYABLE_FAILURES } from '../domain/failures.ts';
import { activities, NEAR, READ } from './options.ts';

/**
 * Asks a system something small. As a local activity that is one event of the history where an ordinary one costs six;
 * only when the system does not answer at once it is asked as an ordinary one, which shows and is tried on.
 *
 * @param summary what is asked, for people
 * @throws ActivityFailure as the activity does
 */
export async function ask<A, R>(
  summary: string,
  question: (of: ReturnType<typeof activities<A>>) => Promise<R>,
): Promise<R> {
  try {
    return await question(proxyLocalActivities<A>({ ...NEAR, summary }));
  } catch (error) {
    if (isCancellation(error) || isFinal(error)) throw error;
    return question(activities<A>(READ, summary));
  }
}

/** An answer that no other try would change. */
function isFinal(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return false;
  return cause.nonRetryable === true || NON_RETRYABLE_FAILURES.includes(cause.type ?? '');
}
