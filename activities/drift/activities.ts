import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { canonicalJson } from '../../domain/digest.ts';
import { type Difference, differences, type Expected, type Observed, persisting } from '../../domain/drift.ts';
import { FailureType } from '../../domain/failures.ts';
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
  async function look(
    expected: Expected,
    known: readonly Difference[],
    fresh: boolean,
  ): Promise<readonly Difference[]> {
    const { environment, service } = expected;
    const where = { environment, service, fresh };
    const wanted = expected.revisions.map(({ spec }) => revisionApp(spec));
    const [apps, traffic, places] = await Promise.all([
      ifKnown(sights.apps({ ...where, apps: wanted })),
      ifKnown(sights.traffic(where)),
      ifKnown(sights.places(where)),
    ]);
    const observed: Observed = { ...(apps && { apps }), ...traffic, ...places };
    return differences(expected, observed, known);
  }

  /** What two looks see; empty when the first one sees nothing new. */
  function lookTwice(expected: Expected, known: readonly Difference[], fresh: boolean): Promise<readonly Difference[]> {
    return beating(async () => {
      const first = await look(expected, known, fresh);
      if (same(first, known)) return known;
      await Context.current().sleep(secondLookMs);
      const second = await look(expected, known, true);
      return same(second, known) ? known : persisting([...first, ...known], second);
    });
  }

  return {
    /**
     * Looks until something other differs than is known, and then tells all that differs; empty when what was known
     * has been put right by hand.
     *
     * A look that finds nothing new ends the attempt with a failure that is none, and Temporal's retry policy brings the
     * next one: so thousands may watch, without a worker's slot or a heartbeat between two looks, in three events
     * however long it takes, and the death of a worker costs one look.
     */
    async watchDrift(input: {
      readonly expected: Expected;
      readonly known: readonly Difference[];
    }): Promise<readonly Difference[]> {
      const { expected, known } = input;
      const found = await lookTwice(expected, known, false);
      if (!same(found, known)) return found;
      const { environment, service } = expected;
      throw ApplicationFailure.create({
        type: 'NothingNew',
        message: `nothing new differs of ${service} in ${environment}; it is looked at again`,
        category: ApplicationFailureCategory.BENIGN,
      });
    },

    /** What differs now. */
    findDrift({ expected }: { readonly expected: Expected }): Promise<readonly Difference[]> {
      return lookTwice(expected, [], true);
    },
  };
}

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
