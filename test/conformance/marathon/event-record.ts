import { comparable } from './comparable.ts';

/**
 * Events of two Marathons side by side. Their order is a partial one: what concerns one deployment or one instance
 * comes in order; whose turn it is does not matter, and `api_post_event` and `group_change_success` come anywhere.
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
 * was told of an instance's health before its first success.
 */
export function withoutEarlyFailures(events: readonly TakenEvent[]): readonly TakenEvent[] {
  const seen = new Set<unknown>();
  return events.filter(({ eventType, data }) => {
    const { instanceId } = data;
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
function lineOf({ eventType, data }: TakenEvent, known: ReadonlySet<string>): string {
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
