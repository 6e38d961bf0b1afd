import type { ReleaseView } from '../../domain/release.ts';
import { WEEKDAYS } from '../../domain/window.ts';
import type { Chance } from './chance.ts';
import { type Click, isEnding } from './clicks.ts';
import type { SimulationRig } from './rig.ts';
import type { Closure, ReleaseScript } from './script.ts';
import { undisturbed } from './undisturbed.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const ZONES: readonly [string, ...string[]] = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kathmandu',
  'America/Phoenix',
  'Pacific/Kiritimati',
  'Pacific/Marquesas',
];

/** In one seed of four. */
export const hasClosure = ({ seed }: Chance): boolean => seed % 4 === 3;

/** Something serves, and the last release comes to a production that is closed, or that closes in the middle of it. */
export const closedReleases = (chance: Chance, releases: readonly ReleaseScript[]): readonly ReleaseScript[] =>
  releases.map((script, index) =>
    index === releases.length - 1 ? closedFor(script, chance) : index === 0 ? undisturbed(script) : script,
  );

function closedFor(script: ReleaseScript, chance: Chance): ReleaseScript {
  const closes = chance.seed % 8 === 7 ? -30 : 1;
  const opens = Math.max(0, closes) + 3 + chance.below('opens', 2);
  const ends: Click = { when: { wait: 'window' }, say: closes < 0 ? 'abort' : 'rollback', times: 1 };
  const turn = Math.floor(chance.seed / 8);
  const clicks = script.clicks.filter((click) => !isEnding(click) || isHeld(click));
  return {
    ...script,
    // It is to come so far.
    ...{ buildFails: 'never', testsFail: 'never', requestedBy: 'ann', approval: 'given' },
    closure: {
      closes,
      opens,
      begins: closes < 0 ? 0 : chance.pick('begins', [0, 20, 35]),
      zone: chance.pick('zone', ZONES),
    },
    clicks: turn % 2 === 0 ? [...clicks, ends] : clicks,
  };
}

/** Said to one that somebody holds up: without it nothing more would come. */
const isHeld = ({ when }: Click): boolean => 'wait' in when && (when.wait === 'paused' || when.wait === 'freeze');

/** So long it may take until the task in which a workflow decides comes to what it has decided, ms. */
const DECIDED_WITHIN_MS = 5_000;
/** And until one that waited is seen to go on. */
const ON_WITHIN_MS = 60_000;

/** The hours of production in one release. It knows when production is closed without asking the code under test. */
export class Calendar {
  /** Whether the release has waited for it. */
  wasWaitedFor = false;
  private readonly closure: Closure;
  private readonly closesAt: number;
  private readonly opensAt: number;

  /** @param minute the one from which the closure counts, ms since 1970 */
  private constructor(closure: Closure, minute: number) {
    this.closure = closure;
    this.closesAt = minute + closure.closes * MINUTE_MS;
    this.opensAt = minute + closure.opens * MINUTE_MS;
  }

  /** Lets time pass until a release that is to meet this closure may begin. */
  static async of(closure: Closure | undefined, rig: SimulationRig): Promise<Calendar | undefined> {
    if (!closure) return undefined;
    const before = await rig.currentTime();
    await rig.passTime(MINUTE_MS - (before % MINUTE_MS));
    const now = await rig.currentTime();
    await rig.passTime(closure.begins * 1_000);
    return new Calendar(closure, now - (now % MINUTE_MS));
  }

  /** The entries of `release.windows`: one that opens every day when production does, and ends where it closes. */
  get windows(): string {
    const { zone } = this.closure;
    const opened = wallClock(this.opensAt - DAY_MS, zone);
    const opens = wallClock(this.opensAt, zone);
    const closes = wallClock(this.closesAt, zone);
    return `[{ environments: [prod], days: [${opened.day}, ${opens.day}], from: '${opens.time}', to: '${closes.time}', zone: ${zone} }]`;
  }

  /** Whether what was asked for at a time was asked for while production was closed. @param asked ms since 1970 */
  isClosed(asked: number): boolean {
    return asked > this.closesAt + DECIDED_WITHIN_MS && asked < this.opensAt;
  }

  /** What a release that has waited for its window has gone through. */
  told({ outcome }: ReleaseView): string {
    const closed = this.closure.closes < 0 ? 'closed at first' : 'closed in the middle';
    return outcome === 'released' ? `${closed}, then released` : `${closed}, then not released`;
  }

  /** What is wrong with how a release waits for its window. @param now ms since 1970 */
  wrongWait({ wait }: ReleaseView, now: number): string | undefined {
    if (wait?.reason !== 'window') return undefined;
    this.wasWaitedFor = true;
    const opens = new Date(this.opensAt).toISOString();
    if (Math.abs(Date.parse(wait.deadline) - this.opensAt) > 1_000)
      return `it waits until ${wait.deadline}, production opens at ${opens}`;
    if (!wait.sentence.includes(opens)) return `it does not say that production opens at ${opens}: ${wait.sentence}`;
    if (Date.parse(wait.since) < this.closesAt) return `it waits since ${wait.since}, when production was open`;
    return now > this.opensAt + ON_WITHIN_MS ? `it still waits, production is open since ${opens}` : undefined;
  }
}

/** What a clock on the wall shows. */
function wallClock(at: number, zone: string): { readonly day: string; readonly time: string } {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? '';
  const day = WEEKDAYS.find((weekday) => weekday === part('weekday').toLowerCase());
  if (!day) throw new RangeError(`${zone} has no ${part('weekday')}`);
  return { day, time: `${part('hour')}:${part('minute')}` };
}
