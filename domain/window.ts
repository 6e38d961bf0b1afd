/** Calendar windows: the times of a week, by the clock on some wall, in which an environment takes forward moves. */

/** In the order of the week; `mon` is 0. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export type Weekday = (typeof WEEKDAYS)[number];

/** When a window is open: an entry of `environments.<name>.windows`. Times are those of the wall clock in `zone`. */
export interface WindowTimes {
  /** The days on which it opens. */
  readonly days: readonly Weekday[];
  /** `HH:MM`, 00:00 to 23:59. */
  readonly from: string;
  /** `HH:MM`, 00:00 to 24:00; one that is not after `from` is on the next day. */
  readonly to: string;
  /** IANA time zone, such as `Asia/Shanghai`. */
  readonly zone: string;
}

/** One entry of `release.windows`. */
export interface CalendarWindow extends WindowTimes {
  /** The environments it is about; one that no window names is always open. */
  readonly environments: readonly string[];
}

/** Whether an environment takes forward moves, and if not, when it next does. */
export type Opening =
  | { readonly open: true }
  /** `opensAt` is ISO 8601; absent when no window opens within a fortnight. */
  | { readonly open: false; readonly opensAt?: string };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A window of one day a week may fall into the hour that a clock skips; the next one is a week later. */
const DAYS_AHEAD = 15;

/**
 * Whether one of the windows of an environment is open. What counts is what the clock on the wall in the window's zone
 * shows: where clocks go forward a window loses the hour that is skipped, where they go back it gains the one that
 * comes twice.
 *
 * @param at ISO 8601
 * @throws RangeError when a zone is not known here; see `isTimeZone`
 */
export function openingOf(windows: readonly CalendarWindow[], environment: string, at: string): Opening {
  const own = windows.filter(({ environments }) => environments.includes(environment));
  const now = Date.parse(at);
  if (own.length === 0 || own.some((window) => isOpen(window, now))) return { open: true };
  const opens = own.flatMap((window) => openings(window, now));
  return opens.length === 0 ? { open: false } : { open: false, opensAt: new Date(Math.min(...opens)).toISOString() };
}

/** True for a name that this runtime knows as a time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

type Clock = (at: number) => number;

function isOpen({ days, from, to, zone }: CalendarWindow, at: number, clock: Clock = clockOf(zone)): boolean {
  const wall = clock(at);
  const minute = Math.floor((wall % DAY_MS) / MINUTE_MS);
  const [opens, closes] = [minutesOf(from), minutesOf(to)];
  const today = days.includes(weekdayOf(wall));
  if (opens < closes) return today && minute >= opens && minute < closes;
  return (today && minute >= opens) || (days.includes(weekdayOf(wall - DAY_MS)) && minute < closes);
}

/** Every time after `now` at which the window opens, for some days ahead. */
function openings(window: CalendarWindow, now: number): number[] {
  const clock = clockOf(window.zone);
  const today = Math.floor(clock(now) / DAY_MS) * DAY_MS;
  // From yesterday on: a window over midnight may open again where clocks go back.
  return Array.from({ length: DAYS_AHEAD + 1 }, (_, day) => today + (day - 1) * DAY_MS)
    .filter((midnight) => window.days.includes(weekdayOf(midnight)))
    .flatMap((midnight) => instantsOf(clock, midnight + minutesOf(window.from) * MINUTE_MS))
    .filter((instant) => instant > now && isOpen(window, instant, clock));
}

/**
 * When the wall clock shows this time: once, or twice where clocks go back, or never where they go forward. Near a
 * change of the clocks the change itself is among the answers, since a window may open at it.
 */
function instantsOf(clock: Clock, wall: number): number[] {
  const [from, to] = [wall - DAY_MS, wall + DAY_MS];
  const [before, after] = [clock(from) - from, clock(to) - to];
  if (before === after) return [wall - after];
  return [wall - before, wall - after, changeOfClocks(clock, from, to)];
}

/** The whole minute at which the distance to UTC changes between two times. */
function changeOfClocks(clock: Clock, from: number, to: number): number {
  const before = clock(from) - from;
  let [low, high] = [from, to];
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (clock(middle) - middle === before) low = middle;
    else high = middle;
  }
  return high;
}

/** What the wall clock of a zone shows, as the milliseconds at which a clock on UTC shows the same. */
function clockOf(zone: string): Clock {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const shown = format.formatToParts(at);
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(shown.find((each) => each.type === type)?.value);
    return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  };
}

function weekdayOf(wall: number): Weekday {
  // The first of January 1970 was a Thursday.
  return WEEKDAYS[(Math.floor(wall / DAY_MS) + 3) % 7] ?? 'mon';
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
