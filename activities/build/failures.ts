import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';

/** Details of a `BuildFailed`. */
export interface BuildFailedDetails {
  /** Such as `unit-test`. */
  readonly stage: string;
  /** The last 100 lines of the stage's log, at most 16 KiB. */
  readonly logTail: string;
}

/** The failure for a stage that ended with an error of the service's own. Not retryable. */
export function buildFailed(stage: string, how: string, logTail: string): ApplicationFailure {
  const details: BuildFailedDetails = { stage, logTail };
  return ApplicationFailure.create({
    type: FailureType.BuildFailed,
    nonRetryable: true,
    message: `build stage ${stage} ${how}`,
    details: [details],
  });
}
