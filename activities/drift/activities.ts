import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { canonicalJson } from '../../domain/digest.ts';
import { type Difference, differences, type Expected, type Observed, persisting } from '../../domain/drift.ts';
import { revisionAppId } from '../../domain/environment.ts';
import { FailureType } from '../../domain/failures.ts';
import {
  FINE,
  type Health,
  type HealthRule,
  healthAfter,
  healthSeen,
  type Sighting,
  type WatchedHealth,
} from '../../domain/health.ts';
import { type RevisionApp, revisionApp } from '../../domain/revision-app.ts';
import { beating } from '../beating.ts';

/** A service in an environment, and whether an answer of a moment ago will not do. */
interface Where {
  readonly environment: string;
  readonly service: string;
  readonly fresh: boolean;
}

/** What is looked at, each part by its own system; a part fails when its system gives no answer. */
export interface Sights {
  readonly apps: (where: Where & { readonly apps: readonly RevisionApp[] }) => Promise<NonNullable<Observed['apps']>>;
  readonly traffic: (where: Where) => Promise<Required<Pick<Observed, 'traffic' | 'servers'>>>;
  readonly places: (where: Where) => Promise<Required<Pick<Observed, 'configVersion' | 'bounds'>>>;
  /** How the instances of an app are and what happened to the last that failed, in words. */
  readonly instances: (app: { readonly environment: string; readonly appId: string }) => Promise<string>;
}

/** What is watched. */
export interface DriftWatchInput {
  readonly expected: Expected;
  /** What differs already and needs no telling. */
  readonly known: readonly Difference[];
  /** A revision whose health is watched, by what it is held to, and how it did until now. */
  readonly health?: WatchedHealth;
}

interface Look {
  readonly found: readonly Difference[];
  readonly apps: Observed['apps'];
}

export type DriftActivities = ReturnType<typeof createDriftActivities>;

/** Between the look that sees a difference and the one that must see it too: longer than a reload or a hiccup. */
const SECOND_LOOK_MS = 4_000;

/** Failures that say that a system can't be asked now, or not at all here: nothing is known then, and nothing differs. */
const UNKNOWN: ReadonlySet<string> = new Set([
  FailureType.SystemUnavailable,
  FailureType.SystemRefused,
  FailureType.UnexpectedAnswer,
]);

/**
 * Activities that look for hand-made changes; they change nothing. What one look alone sees is none, and a system that
 * gives no answer shows none. They fail with `UnknownEnvironment` where an environment is not configured any more.
 *
 * @param sights how each part is read
 * @param secondLookMs for tests
 */
export function createDriftActivities(sights: Sights, { secondLookMs = SECOND_LOOK_MS } = {}) {
  /** @param known what is taken to differ still where a system gives no answer */
  async function look(expected: Expected, known: readonly Difference[], fresh: boolean): Promise<Look> {
    const { environment, service } = expected;
    const where = { environment, service, fresh };
    const wanted = expected.revisions.map(({ spec }) => revisionApp(spec));
    const [apps, traffic, places] = await Promise.all([
      ifKnown(sights.apps({ ...where, apps: wanted })),
      ifKnown(sights.traffic(where)),
      ifKnown(sights.places(where)),
    ]);
    const observed: Observed = { ...(apps && { apps }), ...traffic, ...places };
    return { apps, found: differences(expected, observed, known) };
  }

  /**
   * What two looks see; what is known when the first one sees nothing new.
   *
   * @param health what the attempt after this one shall know if it ends here
   */
  function lookTwice(expected: Expected, known: readonly Difference[], fresh: boolean, health?: Health): Promise<Look> {
    return beating(
      async () => {
        const first = await look(expected, known, fresh);
        if (same(first.found, known)) return { ...first, found: known };
        await Context.current().sleep(secondLookMs);
        const second = await look(expected, known, true);
        const found = same(second.found, known) ? known : persisting([...first.found, ...known], second.found);
        return { ...second, found };
      },
      () => health,
    );
  }

  /** What Marathon says of it; undefined where it says nothing now. */
  function why({ environment, service }: Expected, { revision }: HealthRule): Promise<string | undefined> {
    const { instances } = sights;
    return ifKnown(instances({ environment, appId: revisionAppId(environment, service, revision) }));
  }

  async function sight(input: DriftWatchInput, before: Health, fresh: boolean): Promise<Sighting> {
    const { expected, health: watched, known } = input;
    const { apps, found } = await lookTwice(expected, known, fresh, before);
    if (!watched) return { differences: found, health: FINE };
    const { rule } = watched;
    // The server's clock: the next look may be another machine's.
    const at = new Date(Context.current().info.currentAttemptScheduledTimestampMs).toISOString();
    const health = healthAfter(before, healthSeen(expected, apps, rule.revision, at), rule.graceSeconds);
    const said = health.state === 'ill' ? await why(expected, rule) : undefined;
    return { differences: found, health, ...(said === undefined ? {} : { why: said }) };
  }

  return {
    /**
     * Looks until something other differs than is known, and then tells all that differs; empty when what was known
     * has been put right by hand. Where health is watched it also tells when the revision is ill, and when it is fine
     * again if it was known to ail; the answer then holds both.
     *
     * A look that finds nothing new ends the attempt with a failure that is none, and Temporal's retry policy brings the
     * next one: so thousands may watch, without a worker's slot or a heartbeat between two looks, in three events
     * however long it takes, and the death of a worker costs one look. How the revision did in the looks before is in the
     * details of the last heartbeat.
     */
    async watchDrift(input: DriftWatchInput): Promise<readonly Difference[] | Sighting> {
      const { expected, health: watched, known } = input;
      const beat: unknown = Context.current().info.heartbeatDetails;
      const before = (beat as Health | null | undefined) ?? watched?.health ?? FINE;
      const seen = await sight(input, before, false);
      const recovered = watched?.health.state === 'ailing' && seen.health.state === 'fine';
      if (!same(seen.differences, known) || seen.health.state === 'ill' || recovered) return told(input, seen);
      if (before.state !== 'fine' || seen.health.state !== 'fine') Context.current().heartbeat(seen.health);
      const { environment, service } = expected;
      throw ApplicationFailure.create({
        type: 'NothingNew',
        message: `nothing new differs of ${service} in ${environment}; it is looked at again`,
        category: ApplicationFailureCategory.BENIGN,
      });
    },

    /** What differs now, and how the revision does whose health is watched. */
    async findDrift(input: Omit<DriftWatchInput, 'known'>): Promise<readonly Difference[] | Sighting> {
      const all = { ...input, known: [] };
      return told(all, await sight(all, input.health?.health ?? FINE, true));
    },
  };
}

/** Who did not ask about health is told the differences alone. */
const told = ({ health }: DriftWatchInput, seen: Sighting): readonly Difference[] | Sighting =>
  health ? seen : seen.differences;

async function ifKnown<T>(sight: Promise<T>): Promise<T | undefined> {
  try {
    return await sight;
  } catch (error) {
    if (error instanceof ApplicationFailure && UNKNOWN.has(error.type ?? '')) return undefined;
    throw error;
  }
}

const same = (one: readonly Difference[], other: readonly Difference[]): boolean =>
  canonicalJson(one) === canonicalJson(other);
