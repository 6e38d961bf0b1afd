import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { askedBy } from '../event-summaries.ts';

/** What the Temporal UI shows of a workflow, read as the UI reads it. */
export interface Story {
  readonly type: string;
  readonly status: string;
  readonly summary: string | undefined;
  readonly details: string | undefined;
  /** What the workflow says of itself now; Markdown. */
  readonly currentDetails: string;
  /** Search attributes by name. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly historyEvents: number;
  /** The summaries of its activities, local ones too, and timers, in the order in which these were asked for. */
  readonly summaries: readonly string[];
  /** Activities, local ones too, and timers that say nothing of what they are for. */
  readonly withoutSummary: readonly string[];
}

const metadataSchema = z.object({ currentDetails: z.string().default('') });

/** Reads what Temporal tells of a workflow. */
export async function storyOf(temporal: Client, workflowId: string): Promise<Story> {
  const handle = temporal.workflow.getHandle(workflowId);
  const described = await handle.describe();
  const metadata = metadataSchema.parse(await handle.query('__temporal_workflow_metadata'));
  const { events = [] } = await handle.fetchHistory();
  const asked = askedBy(events ?? []);
  return {
    type: described.type,
    status: described.status.name,
    summary: await described.staticSummary(),
    details: await described.staticDetails(),
    currentDetails: metadata.currentDetails,
    attributes: Object.fromEntries(described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
    historyEvents: described.historyLength,
    summaries: asked.flatMap(({ summary }) => (summary === undefined ? [] : [summary])),
    withoutSummary: asked.flatMap(({ summary, name }) => (summary === undefined ? [name] : [])),
  };
}
