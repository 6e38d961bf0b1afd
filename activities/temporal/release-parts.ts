import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { releaseWorkflowId } from '../../workflows/contract.ts';

/**
 * The other way round of `releaseWorkflowId`; a key may hold slashes, a service may not.
 *
 * @throws ApplicationFailure `UnexpectedAnswer` for an id that no release of Slipway has
 */
export function releaseParts(id: string): { service: string; key: string } {
  const [, service = '', ...rest] = id.split('/');
  const key = rest.join('/');
  if (releaseWorkflowId(service, key) === id) return { service, key };
  throw ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `a release runs under the id "${id}", which is no id of a release; it was not started by Slipway`,
  });
}
