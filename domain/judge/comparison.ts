import { type Split, UNKNOWN_NOISE } from './dispersion.ts';
import { logExcessEvidence, logMean } from './excess-test.ts';
import type { Interval, IntervalFigures } from './inputs.ts';
import type { ErrorComparison } from './verdict.ts';

/**
 * From this Bayes factor on fresh instances of the old revision are taken to err more than the others, such as for cold
 * caches: a low bar, since what it costs is patience.
 */
export const FRESH_WORSE_FROM = 3;

/**
 * Where the baseline errs as the other instances do, a false alarm has a chance of at most alpha divided by this. What
 * both tests ask together is little more than what the weaker one asks alone.
 */
export const STRICTER_WHERE_ALIKE = 5;

/** Bayes factors are told up to here; more is no more proof, and infinity is not JSON. */
const MOST_EVIDENCE = 1e12;

/** Evidence that errors fall on the canary more often than requests do, against those it can be compared with. */
export interface Comparison {
  readonly against: ErrorComparison['against'];
  /** Logarithm of the evidence against the baseline alone. */
  readonly baseline: number;
  /** The same against baseline and other instances together, where these can be compared with; else the former. */
  readonly oldRevision: number;
  /** Logarithm of the mean of both. */
  readonly together: number;
  /** Logarithm of the evidence that the baseline errs more than the others; null without others. */
  readonly freshWorse: number | null;
}

/**
 * Compares the errors of the canary with those of the baseline, and with those of all of the old revision. Where fresh
 * instances as such err more, only the baseline, as young as the canary, is a fair comparison, and the others do not count.
 */
export function compareErrors(intervals: readonly Interval[]): Comparison {
  const baseline = logExcessEvidence(splits(intervals, canaryOf, baselineOf), UNKNOWN_NOISE);
  if (!intervals.some(({ others }) => others !== undefined)) {
    return { against: 'baseline', baseline, oldRevision: baseline, together: baseline, freshWorse: null };
  }
  const freshWorse = logExcessEvidence(splits(intervals, baselineOf, othersOf), UNKNOWN_NOISE);
  if (freshWorse >= Math.log(FRESH_WORSE_FROM)) {
    return { against: 'baseline-alone', baseline, oldRevision: baseline, together: baseline, freshWorse };
  }
  const oldRevision = logExcessEvidence(splits(intervals, canaryOf, oldRevisionOf), UNKNOWN_NOISE);
  const together = logMean([baseline, oldRevision].map((logarithm) => ({ logarithm, weight: 0.5 })));
  return { against: 'baseline-and-others', baseline, oldRevision, together, freshWorse };
}

/**
 * Whether the canary is shown to err more. Both must say so: the comparison with the baseline, which is fair whatever
 * fresh instances do, at alpha, and the mean of both, at a part of it. The mean of two such measures of evidence is one as
 * well (Vovk and Wang, "E-values: Calibration, combination and applications", Annals of Statistics 49, 2021), so where all
 * instances of the old revision are alike, chance alone brings this about in at most that part.
 */
export function errsMore({ baseline, together }: Comparison, alpha: number): boolean {
  return baseline >= -Math.log(alpha) && together >= Math.log(STRICTER_WHERE_ALIKE / alpha);
}

/** The comparison as a verdict tells it. */
export function told(comparison: Comparison, intervals: readonly Interval[]): ErrorComparison {
  const { against, freshWorse } = comparison;
  const canary = sum(intervals, canaryOf);
  const fresh = sum(intervals, baselineOf);
  const old = sum(intervals, oldRevisionOf);
  return {
    against,
    bayesFactor: bayesFactor(comparison.together, canary + old),
    baselineBayesFactor: bayesFactor(comparison.baseline, canary + fresh),
    freshWorseBayesFactor: freshWorse === null ? null : bayesFactor(freshWorse, old),
  };
}

function bayesFactor(logarithm: number, errors: number): number | null {
  return errors === 0 ? null : Math.min(Math.exp(logarithm), MOST_EVIDENCE);
}

type Counted = Pick<IntervalFigures, 'requests' | 'errors'>;
type Arm = (interval: Interval) => Counted;

const NOTHING: Counted = { requests: 0, errors: 0 };
const canaryOf: Arm = ({ canary }) => canary;
const baselineOf: Arm = ({ baseline }) => baseline;
const othersOf: Arm = ({ others }) => others ?? NOTHING;
/** Baseline and others together. */
export const oldRevisionOf: Arm = ({ baseline, others = NOTHING }) => ({
  requests: baseline.requests + others.requests,
  errors: baseline.errors + others.errors,
});

/** Each interval expects its errors to fall as its requests did. */
function splits(intervals: readonly Interval[], here: Arm, elsewhere: Arm): Split[] {
  return intervals.map((interval) => {
    const [one, other] = [here(interval), elsewhere(interval)];
    const share = one.requests / Math.max(one.requests + other.requests, 1);
    return { here: one.errors, total: one.errors + other.errors, share };
  });
}

function sum(intervals: readonly Interval[], arm: Arm): number {
  return intervals.reduce((total, interval) => total + arm(interval).errors, 0);
}
