import { z } from 'zod';

const payloads = z.object({ payloads: z.array(z.object({ data: z.string().default('') })).default([]) });
const patchSchema = z.object({ id: z.string() });

/** As much of an event as tells what a run went through. */
const eventSchema = z.object({
  eventType: z.string(),
  workflowExecutionStartedEventAttributes: z.object({ workflowType: z.object({ name: z.string() }) }).optional(),
  activityTaskScheduledEventAttributes: z.object({ activityType: z.object({ name: z.string() }) }).optional(),
  markerRecordedEventAttributes: z
    .object({ markerName: z.string(), details: z.record(z.string(), payloads).default({}) })
    .optional(),
  workflowExecutionSignaledEventAttributes: z.object({ signalName: z.string() }).optional(),
  workflowExecutionUpdateAcceptedEventAttributes: z
    .object({ acceptedRequest: z.object({ input: z.object({ name: z.string() }) }) })
    .optional(),
  workflowExecutionCompletedEventAttributes: z.object({ result: payloads.optional() }).optional(),
});

const historySchema = z.object({ events: z.array(eventSchema) });

const resultSchema = z.object({
  outcome: z.string(),
  view: z.object({
    steps: z.array(z.object({ kind: z.string(), outcome: z.string() })),
    verdicts: z.array(z.object({ result: z.string() })),
    failure: z.object({ type: z.string() }).optional(),
  }),
});

/**
 * What a run went through, each a short text that begins with the run's type: what it called, which patches of the code
 * it knew, what it was told, how it ended; of a release also each kind of step with its outcome, each result of a verdict, and why it failed.
 */
export function featuresOf(history: unknown): ReadonlySet<string> {
  const { events } = historySchema.parse(history);
  const type = events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name ?? 'unknown';
  const features = events.flatMap((event) => {
    const activity = event.activityTaskScheduledEventAttributes?.activityType.name;
    const patch = patchOf(event.markerRecordedEventAttributes);
    const signal = event.workflowExecutionSignaledEventAttributes?.signalName;
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest.input.name;
    const ended = /^EVENT_TYPE_WORKFLOW_EXECUTION_(COMPLETED|FAILED|CANCELED|CONTINUED_AS_NEW)$/.exec(event.eventType);
    return [
      ...(activity === undefined ? [] : [`activity ${activity}`]),
      ...(patch === undefined ? [] : [`patch ${patch}`]),
      ...(signal === undefined ? [] : [`signal ${signal}`]),
      ...(update === undefined ? [] : [`update ${update}`]),
      ...(ended ? [`ends ${ended[1]?.toLowerCase()}`] : []),
      ...resultFeatures(event.workflowExecutionCompletedEventAttributes?.result?.payloads[0]?.data),
    ];
  });
  return new Set(['', ...features].map((feature) => `${type} ${feature}`.trim()));
}

function patchOf(marker: z.infer<typeof eventSchema>['markerRecordedEventAttributes']): string | undefined {
  const data = marker?.markerName === 'core_patch' ? marker.details['patch-data']?.payloads[0]?.data : undefined;
  return data === undefined ? undefined : patchSchema.parse(parsed(data)).id;
}

function parsed(data: string): unknown {
  return JSON.parse(Buffer.from(data, 'base64').toString());
}

function resultFeatures(data: string | undefined): string[] {
  if (data === undefined || data === '') return [];
  const result = resultSchema.safeParse(parsed(data));
  if (!result.success) return [];
  const { outcome, view } = result.data;
  return [
    `is ${outcome}`,
    ...(view.failure ? [`is ${outcome}: ${view.failure.type}`] : []),
    ...view.verdicts.map((verdict) => `verdict ${verdict.result}`),
    ...view.steps.map((step) => `step ${step.kind} ${step.outcome}`),
  ];
}

/**
 * The fewest histories, nearly, that go through all that any of them goes through: the one that adds most comes first,
 * among equals the shorter.
 */
export function fewest<
  History extends { readonly name: string; readonly history: { readonly events: readonly unknown[] } },
>(histories: readonly History[]): History[] {
  const open = histories
    .map((recorded) => ({ recorded, features: featuresOf(recorded.history), length: recorded.history.events.length }))
    .sort((a, b) => a.length - b.length || a.recorded.name.localeCompare(b.recorded.name));
  const covered = new Set<string>();
  const chosen: History[] = [];
  for (;;) {
    const news = open.map(({ features }) => [...features].filter((feature) => !covered.has(feature)).length);
    const most = Math.max(0, ...news);
    if (most === 0) return chosen;
    const best = open[news.indexOf(most)];
    if (!best) return chosen;
    for (const feature of best.features) covered.add(feature);
    chosen.push(best.recorded);
  }
}
