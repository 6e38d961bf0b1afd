import type { WorkflowClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { releaseWorkflowId, WorkflowType } from '../../workflows/contract.ts';

/** A release that has not ended. */
export interface ListedRelease {
  /** Workflow id. */
  readonly id: string;
  readonly service: string;
  readonly key: string;
}

/**
 * Every release that has not ended, by its id. Temporal lists a new one about a second after its start.
 *
 * @throws ApplicationFailure `UnexpectedAnswer` when one runs under an id that no release of Slipway has
 */
export async function listedReleases(client: WorkflowClient): Promise<ListedRelease[]> {
  const found: string[] = [];
  const query = `WorkflowType = '${WorkflowType.Release}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.list({ query })) found.push(workflowId);
  return found.sort().map((id) => ({ id, ...partsOf(id) }));
}

/** The other way round of `releaseWorkflowId`; a key may hold slashes, a service may not. */
function partsOf(id: string): { service: string; key: string } {
  const [, service = '', ...rest] = id.split('/');
  const key = rest.join('/');
  if (releaseWorkflowId(service, key) === id) return { service, key };
  throw ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `a release runs under the id "${id}", which is no id of a release; it was not started by Slipway`,
  });
}
