import { type TakenEvent, tally, threads } from './event-record.ts';
import { EVENTS_ANYWHERE, EVENTS_BY_CHANCE } from './known-differences.ts';

/**
 * Events of two Marathons side by side where one of them was heard longer: what concerns one subject must begin the
 * same.
 */

export interface Likeness {
  /** Recorded threads that none of ours begins with. */
  readonly missing: readonly (readonly string[])[];
  /** Threads of ours that are not the beginning of a recorded one, and do not begin with one. */
  readonly foreign: readonly (readonly string[])[];
  /** Recorded lines that may come anywhere and did not come. */
  readonly missingLines: readonly string[];
}

export const ALIKE: Likeness = { missing: [], foreign: [], missingLines: [] };

/** @param known versions and deployments that both mean the same thing by */
export function likeness(
  ours: readonly TakenEvent[],
  recorded: readonly TakenEvent[],
  known: ReadonlySet<string>,
): Likeness {
  const [mine, theirs] = [inOrder(ours, known), inOrder(recorded, known)];
  const lines = tally(
    ours.filter(({ eventType }) => eventType in EVENTS_ANYWHERE),
    known,
  );
  const wanted = tally(
    recorded.filter(({ eventType }) => eventType in EVENTS_ANYWHERE),
    known,
  );
  return {
    missing: theirs.filter((thread) => !mine.some((one) => begins(one, thread))),
    foreign: mine.filter((thread) => !theirs.some((one) => begins(one, thread) || begins(thread, one))),
    missingLines: [...wanted.keys()].filter((line) => !lines.has(line)),
  };
}

/** The threads of events whose order is determined. */
export function inOrder(events: readonly TakenEvent[], known: ReadonlySet<string>): readonly (readonly string[])[] {
  const kept = events.filter(({ eventType }) => !(eventType in EVENTS_ANYWHERE) && !(eventType in EVENTS_BY_CHANCE));
  return threads(kept, known).map(({ events: lines }) => withoutSlowStart(lines));
}

/** A server that is slow to start is looked at before it answers: not healthy first, and healthy then. */
function withoutSlowStart(lines: readonly string[]): readonly string[] {
  const isHealth = (line: string | undefined, healthy: boolean) =>
    line?.startsWith('instance_health_changed_event') && line.includes(`"healthy":${healthy}`);
  return isHealth(lines[0], false) && isHealth(lines[1], true) ? lines.slice(1) : lines;
}

function begins(thread: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((line, index) => thread[index] === line);
}
