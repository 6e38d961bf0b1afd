import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';

/**
 * The failure for what is found otherwise than whoever is to change it has left it: somebody else was there, and nothing
 * is written over that.
 *
 * @param what such as `the traffic of web in prod`
 */
export function changedByHand(what: string, left: string, found: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.Drifted,
    nonRetryable: true,
    message: `${what} was changed by hand: ${found}, and it was left at ${left}`,
  });
}
