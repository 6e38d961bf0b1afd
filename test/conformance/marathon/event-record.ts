import { z } from 'zod';
import { comparable } from './comparable.ts';

/**
 * Events of two Marathons side by side. Their order is a partial one, as that of the original is: what concerns one
 * deployment or one instance comes in order (`threads`), and so does what a deployment waits for before it goes on
 * (`milestones`). Whose turn it is among instances does not matter: they start and end as agents are quick or slow.
 * `api_post_event` and `group_change_success` come anywhere: the original publishes them from threads of their own.
 */

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** One event as it stood on the stream. */
export interface TakenEvent {
  readonly eventType: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of one subject in their order. */
interface Thread {
  /** Such as `instance of /web`; several subjects may have the same. */
  readonly subject: string;
  readonly events: readonly string[];
}

/**
 * Whether a task is asked before it serves, and then told of as not healthy, is a matter of the machine: without what
 * was told of an instance's health before the first success of each of its tasks.
 */
export function withoutEarlyFailures(events: readonly TakenEvent[]): readonly TakenEvent[] {
  const seen = new Set<unknown>();
  return events.filter(({ eventType, data }) => {
    const { instanceId } = data;
    if (data['condition'] === 'Provisioned') seen.delete(instanceId);
    if (data['alive'] === true || data['healthy'] === true) seen.add(instanceId);
    return eventType !== 'instance_health_changed_event' || data['healthy'] !== false || seen.has(instanceId);
  });
}

/** All threads, in an order of their own, so that two sets of threads can be compared. */
export function threads(events: readonly TakenEvent[], known: ReadonlySet<string>): readonly Thread[] {
  const bySubject = Map.groupBy(events, subjectOf);
  return [...bySubject]
    .map(([subject, taken]) => ({
      subject: subject.split('\n')[0] ?? '',
      events: taken.map((event) => lineOf(event, known)),
    }))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What had come of a deployment's apps by one of its events, since its first one. */
interface Milestone {
  readonly event: string;
  /** Such as `/web Running` with the number of such events. */
  readonly before: Readonly<Record<string, number>>;
}

/**
 * For each deployment its events, each with what its apps' instances had come to by then. Not of the last of those that
 * end: the original does not keep the order of the last TASK_KILLED and of a deployment's success.
 */
export function milestones(events: readonly TakenEvent[]): readonly (readonly Milestone[])[] {
  const counts = new Map<string, number>();
  const deployments = new Map<string, { readonly since: ReadonlyMap<string, number>; readonly passed: Milestone[] }>();
  for (const { eventType, data } of events) {
    if (!eventType.startsWith('deployment_')) {
      const step = stepOf(eventType, data);
      if (step !== undefined) counts.set(step, (counts.get(step) ?? 0) + 1);
      continue;
    }
    const { id, apps } = planOf(data);
    const deployment = deployments.get(id) ?? { since: new Map(counts), passed: [] };
    deployments.set(id, deployment);
    const before = [...counts]
      .map(([step, count]) => [step, count - (deployment.since.get(step) ?? 0)] as const)
      .filter(([step, count]) => count > 0 && apps.has(step.split(' ')[0] ?? ''));
    deployment.passed.push({ event: eventType, before: Object.fromEntries(before.toSorted()) });
  }
  return [...deployments.values()].map(({ passed }) => passed);
}

const GONE: ReadonlySet<unknown> = new Set(['Killed', 'TASK_KILLED']);

/** What an event says of an instance's way, such as `/web TASK_RUNNING`; undefined of other events. */
function stepOf(eventType: string, data: TakenEvent['data']): string | undefined {
  const { runSpecId, appId, condition, taskStatus, healthy } = data;
  if (eventType === 'instance_health_changed_event') return healthy === true ? `${runSpecId} healthy` : undefined;
  const step = condition ?? taskStatus;
  if (step === undefined || GONE.has(step) || eventType.startsWith('unknown_')) return undefined;
  return `${runSpecId ?? appId} ${step}`;
}

const planShape = z.object({
  id: z.string(),
  steps: z.array(z.object({ actions: z.array(z.object({ app: z.string().optional() })) })),
});

/** Which deployment an event is of, and which apps that changes. */
export function planOf(data: TakenEvent['data']): { readonly id: string; readonly apps: ReadonlySet<string> } {
  const { id, steps } = planShape.parse(data['plan']);
  return { id, apps: new Set(steps.flatMap(({ actions }) => actions.flatMap(({ app }) => app ?? []))) };
}

/** How often each event came, whatever its place. */
export function tally(events: readonly TakenEvent[], known: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    const line = lineOf(event, known);
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}

/** One event as a line: its type and everything comparable of it. */
export function lineOf({ eventType, data }: TakenEvent, known: ReadonlySet<string>): string {
  const { timestamp: _timestamp, eventType: _type, ...rest } = data;
  return `${eventType} ${JSON.stringify(comparable(rest, known))}`;
}

/** What an event is about; the first line of the answer is fit to be compared, the rest tells one from another. */
function subjectOf({ eventType, data }: TakenEvent): string {
  const text = (key: string) => String(data[key] ?? '');
  if (eventType.startsWith('deployment_')) {
    const { plan } = data;
    return `a deployment\n${plan instanceof Object ? Reflect.get(plan, 'id') : text('id')}`;
  }
  const instance = text('instanceId') || text('taskId');
  if (instance !== '') {
    // Of the same news, what one check saw and what it means for the instance come either first.
    const overall = eventType === 'instance_health_changed_event' ? 'overall ' : '';
    const health = eventType.includes('health') ? `${overall}health of ` : '';
    return `${health}an instance of ${text('runSpecId') || text('appId')}\n${UUID.exec(instance)?.[0] ?? instance}`;
  }
  return `${eventType} ${text('appId')}`;
}

function keyOf({ subject, events }: Thread): string {
  return `${subject}\n${events.join('\n')}`;
}
