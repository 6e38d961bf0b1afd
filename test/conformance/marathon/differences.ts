import { isDeepStrictEqual } from 'node:util';
import type { TakenEvent } from './event-record.ts';
import {
  CHANCE_EVENTS,
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
export function isChance(record: string, { eventType, data }: TakenEvent): boolean {
  return CHANCE_EVENTS.some(
    (chance) =>
      chance.record === record &&
      chance.eventType === eventType &&
      Object.entries(chance.has ?? {}).every(([key, value]) => data[key] === value),
  );
}

/** Both sides without what is known to differ. Throws when something is listed that does not differ any more. */
export function judged({ got, wanted }: Compared, listed: readonly KnownDifference[]): Compared {
  let [ours, theirs] = [got, wanted];
  for (const { record, step, at, chance = false } of listed) {
    const part = at ?? '';
    if (!chance && isDeepStrictEqual(only(ours, part), only(theirs, part))) {
      throw new Error(`known-differences.ts lists ${record} ${step} ${part}, but there is no difference any more`);
    }
    [ours, theirs] = [without(ours, part), without(theirs, part)];
  }
  return { got: ours, wanted: theirs };
}

/** Whether both sides are equal but for what is listed. */
export function isSame({ got, wanted }: Compared, listed: readonly KnownDifference[]): boolean {
  const [ours, theirs] = [got, wanted].map((side) => listed.reduce((left, { at }) => without(left, at ?? ''), side));
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
  return keys(at).reduce<unknown>((part, key) => (part instanceof Object ? Reflect.get(part, key) : undefined), value);
}

function without(value: unknown, at: string): unknown {
  if (isLines(value)) return value.filter(([line]) => !line.startsWith(at));
  const path = keys(at);
  if (path.length === 0) return 'all of it differs';
  const copy: unknown = JSON.parse(JSON.stringify(value));
  let part = copy;
  for (const key of path.slice(0, -1)) part = part instanceof Object ? Reflect.get(part, key) : undefined;
  if (part instanceof Object) Reflect.deleteProperty(part, path.at(-1) ?? '');
  return copy;
}

function keys(at: string): readonly string[] {
  return at.split('/').filter(Boolean);
}
