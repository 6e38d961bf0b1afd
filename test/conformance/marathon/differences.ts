import { isDeepStrictEqual } from 'node:util';
import { lineOf, type TakenEvent } from './event-record.ts';
import {
  EVENT_DIFFERENCES,
  type EventDifference,
  KNOWN_DIFFERENCES,
  type KnownDifference,
  SYSTEMATIC_DIFFERENCES,
  SYSTEMATIC_TEXTS,
} from './known-differences.ts';
import type { Compared } from './replay.ts';

/** What is listed for one step of a record. */
export function differences(record: string, step: KnownDifference['step']): readonly KnownDifference[] {
  return KNOWN_DIFFERENCES.filter((known) => known.record === record && known.step === step);
}

/** Whether an event is there by chance. */
export function isChance(record: string, event: TakenEvent): boolean {
  return listedFor(record, event).some(({ differs }) => differs === 'there');
}

/** Events without those that are there by chance, and without what else of them is listed. */
export function certain(record: string, events: readonly TakenEvent[]): readonly TakenEvent[] {
  const told = new Set<string>();
  return events.flatMap((event): readonly TakenEvent[] => {
    const listed = listedFor(record, event).map(({ differs }) => differs);
    if (listed.includes('there')) return [];
    if (listed.includes('times')) {
      const { timestamp: _timestamp, ...rest } = event.data;
      const again = JSON.stringify([event.eventType, rest]);
      if (told.has(again)) return [];
      told.add(again);
    }
    const members = new Set(listed.map((differs) => (typeof differs === 'object' ? differs.member : '')));
    const data = Object.fromEntries(Object.entries(event.data).filter(([key]) => !members.has(key)));
    return [{ ...event, data }];
  });
}

function listedFor(record: string, { eventType, data }: TakenEvent): readonly EventDifference[] {
  return EVENT_DIFFERENCES.filter(
    (one) =>
      one.record === record &&
      one.eventType === eventType &&
      Object.entries(one.has ?? {}).every(([key, value]) => data[key] === value),
  );
}

/** Both sides without what is known to differ. Throws when something is listed that does not differ any more. */
export function judged({ got, wanted }: Compared, listed: readonly KnownDifference[]): Compared {
  let [ours, theirs] = [got, wanted];
  for (const { record, step, at, counts = false, chance = false } of listed) {
    const part = at ?? '';
    if (!chance && isDeepStrictEqual(only(ours, part), only(theirs, part))) {
      throw new Error(`known-differences.ts lists ${record} ${step} ${part}, but there is no difference any more`);
    }
    const left = counts ? counted : without;
    [ours, theirs] = [left(ours, part), left(theirs, part)];
  }
  return { got: ours, wanted: theirs };
}

/** Events without those whose lines are listed. */
export function withoutListed(
  events: readonly TakenEvent[],
  listed: readonly KnownDifference[],
  known: ReadonlySet<string>,
): readonly TakenEvent[] {
  if (listed.length === 0) return events;
  return events.filter((event) => {
    const line = lineOf(event, known);
    return !listed.some(({ at = '' }) => line.startsWith(at));
  });
}

/** Whether both sides are equal but for what is listed. */
export function isSame({ got, wanted }: Compared, listed: readonly KnownDifference[]): boolean {
  const [ours, theirs] = [got, wanted].map((side) =>
    listed.reduce((left, { at = '', counts = false }) => (counts ? counted : without)(left, at), side),
  );
  return isDeepStrictEqual(ours, theirs);
}

/** An answer without the members in which the release of a record differs everywhere, and with its texts made equal. */
export function withoutSystematic(record: string, value: unknown): unknown {
  const listed = SYSTEMATIC_DIFFERENCES.filter(({ release }) => record.includes(release));
  const strip = (key: string, member: unknown) =>
    listed.some((one) => one.key === key && (!one.onlyEmpty || (Array.isArray(member) && member.length === 0)))
      ? undefined
      : member;
  if (listed.length === 0) return value;
  const texts = SYSTEMATIC_TEXTS.filter(({ release }) => record.includes(release));
  const stripped = JSON.stringify(value, strip);
  return JSON.parse(texts.reduce((text, one) => text.replaceAll(one.pattern, one.text), stripped));
}

/** Lines of events are lists `[line, count]`. */
function isLines(value: unknown): value is readonly (readonly [string, number])[] {
  return Array.isArray(value);
}

function only(value: unknown, at: string): unknown {
  if (isLines(value)) return value.filter(([line]) => line.startsWith(at));
  return keys(at).reduce<unknown>((part, key) => memberOf(part, key)?.[1], value);
}

function without(value: unknown, at: string): unknown {
  if (isLines(value)) return value.filter(([line]) => !line.startsWith(at));
  const path = keys(at);
  if (path.length === 0) return 'all of it differs';
  return changed(value, path, (holder, name) => {
    if (Array.isArray(holder)) holder.splice(Number(name), 1);
    else Reflect.deleteProperty(holder, name);
  });
}

/** With every number there as none or some. */
function counted(value: unknown, at: string): unknown {
  const plain = (_key: string, member: unknown) =>
    typeof member === 'number' ? (member === 0 ? 'none' : 'some') : member;
  return changed(value, keys(at), (holder, name) => {
    Reflect.set(holder, name, JSON.parse(JSON.stringify(Reflect.get(holder, name), plain)));
  });
}

/** A copy in which what a path leads to was changed, where it leads anywhere. */
function changed(value: unknown, path: readonly string[], change: (holder: object, name: string) => void): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  const holder = path.slice(0, -1).reduce<unknown>((part, key) => memberOf(part, key)?.[1], copy);
  const found = memberOf(holder, path.at(-1) ?? '');
  if (holder instanceof Object && found) change(holder, found[0]);
  return copy;
}

/** A member by its name; of a list also by `[/web]`, the app that it is about. */
function memberOf(holder: unknown, key: string): readonly [name: string, member: unknown] | undefined {
  if (!(holder instanceof Object)) return undefined;
  const about = /^\[(.*)\]$/.exec(key)?.[1];
  if (about === undefined) return key in holder ? [key, Reflect.get(holder, key)] : undefined;
  return Object.entries(holder).find(([, item]) => {
    if (!(item instanceof Object)) return false;
    const app: unknown = Reflect.get(item, 'app');
    const id: unknown = Reflect.get(app instanceof Object ? app : item, 'id');
    return id === about || Reflect.get(item, 'appId') === about;
  });
}

function keys(at: string): readonly string[] {
  return at.match(/\[[^\]]*\]|[^/]+/g) ?? [];
}
