import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { FailureType } from '../domain/failures.ts';
import type { ReleaseFailure } from '../domain/release.ts';

/**
 * What went wrong outside, in the words of whoever saw it; undefined for an error that is a bug of ours: that one must
 * go on to fail the workflow task, so that the run continues where it was once the code is mended.
 */
export function failureFrom(error: unknown): ReleaseFailure | undefined {
  if (error instanceof ApplicationFailure) {
    return {
      type: error.type ?? FailureType.Internal,
      message: error.message,
      ...(error.details && error.details.length > 0 ? { details: error.details } : {}),
    };
  }
  if (error instanceof TimeoutFailure) {
    return { type: FailureType.DeadlineExceeded, message: `${error.message} (${error.timeoutType})` };
  }
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    const name = error instanceof ActivityFailure ? error.activityType : error.workflowType;
    const inner = failureFrom(error.cause);
    if (error.cause instanceof TimeoutFailure && inner) return { ...inner, message: `${name}: ${inner.message}` };
    return inner ?? { type: FailureType.Internal, message: `${name}: ${error.message}` };
  }
  return undefined;
}
