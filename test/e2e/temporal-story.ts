import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { z } from 'zod';

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
  /** The summaries of its activities and timers, in the order in which these were asked for. */
  readonly summaries: readonly string[];
  /** Events that schedule an activity or a timer and say nothing of what it is for. */
  readonly withoutSummary: readonly string[];
}

const metadataSchema = z.object({ currentDetails: z.string().default('') });

/** Reads what Temporal tells of a workflow. */
export async function storyOf(temporal: Client, workflowId: string): Promise<Story> {
  const handle = temporal.workflow.getHandle(workflowId);
  const described = await handle.describe();
  const metadata = metadataSchema.parse(await handle.query('__temporal_workflow_metadata'));
  const { events = [] } = await handle.fetchHistory();
  const work = (events ?? []).filter(
    ({ activityTaskScheduledEventAttributes, timerStartedEventAttributes }) =>
      activityTaskScheduledEventAttributes || timerStartedEventAttributes,
  );
  const said = work.map((event) => ({
    summary: textOf(event.userMetadata?.summary),
    name: event.activityTaskScheduledEventAttributes?.activityType?.name ?? 'timer',
  }));
  return {
    type: described.type,
    status: described.status.name,
    summary: await described.staticSummary(),
    details: await described.staticDetails(),
    currentDetails: metadata.currentDetails,
    attributes: Object.fromEntries(described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
    historyEvents: described.historyLength,
    summaries: said.flatMap(({ summary }) => (summary === undefined ? [] : [summary])),
    withoutSummary: said.flatMap(({ summary, name }) => (summary === undefined ? [name] : [])),
  };
}

function textOf(payload: Payload | null | undefined): string | undefined {
  return payload ? defaultPayloadConverter.fromPayload<string>(payload) : undefined;
}
