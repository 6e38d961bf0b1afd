import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import {
  parseReleaseName,
  type ReleaseFilter,
  type ReleaseSummary,
  releaseSummarySchema,
} from '../domain/schemas/api.ts';
import { SearchAttribute, WorkflowType } from '../workflows/contract.ts';
import { SERVER_MS } from './deadlines.ts';

/**
 * Releases by Temporal's search index, in its order: those that run, newest first, then those that ended last. The
 * index follows the workflows by about a second.
 * Every value of the filter was checked by its schema, so none can end its quotes.
 */
export async function listReleases(
  client: Client,
  filter: ReleaseFilter,
): Promise<{ releases: ReleaseSummary[]; more: boolean }> {
  const query = releaseListQuery(filter);
  const releases: ReleaseSummary[] = [];
  let more = false;
  await client.withDeadline(Date.now() + SERVER_MS, async () => {
    for await (const execution of client.workflow.list({ query, pageSize: filter.limit + 1 })) {
      if (releases.length === filter.limit) {
        more = true;
        break;
      }
      const summary = summaryOf(execution);
      if (summary !== undefined) releases.push(summary);
    }
  });
  return { releases, more };
}

/** The list filter of Temporal (https://docs.temporal.io/list-filter). */
export function releaseListQuery(filter: ReleaseFilter): string {
  const { Service, Outcome, Stage } = SearchAttribute;
  const terms = [`WorkflowType IN ('${WorkflowType.Release}', '${WorkflowType.Rollback}')`];
  if (filter.service !== undefined) terms.push(`${Service.name} = '${filter.service}'`);
  if (filter.stage !== undefined) terms.push(`${Stage.name} = '${filter.stage}'`);
  if (filter.outcome === 'running') terms.push(`ExecutionStatus = 'Running'`);
  else if (filter.outcome !== undefined) terms.push(`${Outcome.name} = '${filter.outcome}'`);
  return terms.join(' AND ');
}

/** Undefined for a workflow of these types that somebody started by hand under an id of their own. */
function summaryOf(execution: WorkflowExecutionInfo): ReleaseSummary | undefined {
  const name = parseReleaseName(execution.workflowId);
  if (name === undefined) return undefined;
  const attributes = execution.typedSearchAttributes;
  const outcome = releaseSummarySchema.shape.outcome.safeParse(attributes.get(SearchAttribute.Outcome)).data;
  const environment = attributes.get(SearchAttribute.Environment);
  const stage = attributes.get(SearchAttribute.Stage);
  const ended = execution.closeTime?.toISOString();
  return {
    id: execution.workflowId,
    ...name,
    kind: execution.type === WorkflowType.Rollback ? 'rollback' : 'release',
    startedAt: execution.startTime.toISOString(),
    ...(ended === undefined ? {} : { endedAt: ended }),
    // One that was ended from outside never said how.
    ...(outcome !== undefined ? { outcome } : ended === undefined ? {} : { outcome: 'failed' as const }),
    ...(stage === undefined ? {} : { stage }),
    ...(environment === undefined ? {} : { environment }),
  };
}
