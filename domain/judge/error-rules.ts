import { needs } from './data-rules.ts';
import { effectiveSplit, SEEN_NOISE, UNKNOWN_NOISE } from './dispersion.ts';
import { type ErrorSplits, type Evidence, type Finding, fails, holds, rounded, WRONG_PASS } from './finding.ts';
import type { Interval, RevisionWindow, Side } from './inputs.ts';
import { logShareEvidence, shareBounds, shownAbove, shownBelow } from './share-test.ts';
import type { Estimate } from './verdict.ts';

/** Bayes factors are told up to here; more is no more proof, and infinity is not JSON. */
const MOST_EVIDENCE = 1e12;

/** The threshold rule: more errors than are allowed at all, whatever the old revision does. */
export function errorShareOverLimit({ policy, canary }: Evidence): Finding | undefined {
  const { errors, requests } = canary;
  const { maxErrorPercent } = policy;
  if (!shownAbove(errors, requests - errors, maxErrorPercent / 100, policy.alpha)) return undefined;
  return fails(
    'error-share-over-limit',
    `${errorsOf('the canary', canary)}; more than ${maxErrorPercent} % are not allowed, and chance does not explain it`,
    `${errorsOfZh('金丝雀', canary)}；超过允许的 ${maxErrorPercent} %，且不能用偶然解释`,
  );
}

/** The comparison: errors fall on the canary more often than traffic does, and noise does not explain it. */
export function moreErrorsThanBaseline(evidence: Evidence): Finding | undefined {
  const { policy, canary, baseline, errors } = evidence;
  const { here, elsewhere, share } = errors.between;
  if (!shownAbove(here, elsewhere, share, policy.alpha)) return undefined;
  return fails(
    'more-errors-than-baseline',
    `${errorsOf('the canary', canary)}, ${errorsOf('the old revision', baseline)}; chance does not explain it`,
    `${errorsOfZh('金丝雀', canary)}，${errorsOfZh('旧版次', baseline)}；不能用偶然解释`,
  );
}

/** Nothing passes whose share of errors is not shown to be within the limit. A limit of 0 can't be shown by figures. */
export function limitNotShown(evidence: Evidence): Finding | undefined {
  const { policy, canary } = evidence;
  const { maxErrorPercent } = policy;
  if (maxErrorPercent >= 100 || (maxErrorPercent <= 0 && canary.errors === 0)) return undefined;
  const { here, elsewhere, dispersion } = evidence.errors.canary;
  const within = (more: number) => shownBelow(here, elsewhere + more / dispersion, maxErrorPercent / 100, WRONG_PASS);
  if (within(0)) return undefined;
  const more = fewest(within);
  const wait = needs(more, canary.requests, evidence.inputs.windowSeconds);
  return holds(
    'limit-not-shown',
    `${errorsOf('the canary', canary)}; whether it stays within ${maxErrorPercent} % is not shown yet, about ${more} more answers without an error would show it${wait.en}`,
    `${errorsOfZh('金丝雀', canary)}；尚不能证明不超过 ${maxErrorPercent} %，还需约 ${more} 次无错误的回答${wait.zh}`,
  );
}

/** Non-inferiority: an increase above the allowed one must be excluded, not only unseen. */
export function increaseNotExcluded(evidence: Evidence): Finding | undefined {
  const { policy, canary, baseline } = evidence;
  const { maxErrorIncreasePercent: allowed } = policy;
  if (allowed === undefined) return undefined;
  const high = (more: number) => 100 * highestIncrease(evidence, more);
  if (high(0) <= allowed) return undefined;
  const more = high(MANY_ANSWERS) <= allowed ? fewest((answers) => high(answers) <= allowed) : undefined;
  const wait = more === undefined ? undefined : needs(more, canary.requests, evidence.inputs.windowSeconds);
  return holds(
    'increase-not-excluded',
    `${errorsOf('the canary', canary)}, ${errorsOf('the old revision', baseline)}; that it is at most ${allowed} points worse is not shown yet, ${more === undefined ? 'and needs more answers of both' : `about ${more} more answers without an error would show it`}${wait?.en ?? ''}`,
    `${errorsOfZh('金丝雀', canary)}，${errorsOfZh('旧版次', baseline)}；尚不能证明最多差 ${allowed} 个百分点，${more === undefined ? '双方都需要更多回答' : `还需约 ${more} 次无错误的回答`}${wait?.zh ?? ''}`,
  );
}

/** How many percentage points more of the canary's answers are errors. */
export function errorIncrease(evidence: Evidence): Estimate | null {
  const { canary, baseline } = evidence;
  if (canary.requests === 0 || baseline.requests === 0) return null;
  return {
    value: (errorPercent(canary) ?? 0) - (errorPercent(baseline) ?? 0),
    low: 100 * lowestIncrease(evidence),
    high: 100 * highestIncrease(evidence, 0),
  };
}

export function bayesFactor(evidence: Evidence): number | null {
  if (evidence.canary.errors + evidence.baseline.errors === 0) return null;
  const { here, elsewhere, share } = evidence.errors.between;
  return Math.min(Math.exp(logShareEvidence(here, elsewhere, share)), MOST_EVIDENCE);
}

export function errorPercent({ requests, errors }: RevisionWindow): number | null {
  return requests > 0 ? (100 * errors) / requests : null;
}

export function errorsOf(who: string, window: RevisionWindow): string {
  const percent = rounded(errorPercent(window) ?? 0);
  return `${who} answered ${window.errors} of ${window.requests} requests with an error (${percent} %)`;
}

export function errorsOfZh(who: string, window: RevisionWindow): string {
  return `${who} ${window.requests} 次请求中 ${window.errors} 次出错（${rounded(errorPercent(window) ?? 0)} %）`;
}

/** How errors are spread, each count divided by the noise that belongs to it. */
export function errorSplits(intervals: readonly Interval[]): ErrorSplits {
  const ofSide = (side: Side) =>
    effectiveSplit(
      intervals.map(({ [side]: { errors, requests } }) => ({ here: errors, total: requests, share: 0.5 })),
      SEEN_NOISE,
    );
  const between = effectiveSplit(
    intervals.map(({ canary, baseline }) => ({
      here: canary.errors,
      total: canary.errors + baseline.errors,
      // Each interval expects its errors to fall as its requests did.
      share: canary.requests / Math.max(canary.requests + baseline.requests, 1),
    })),
    UNKNOWN_NOISE,
  );
  return { canary: ofSide('canary'), baseline: ofSide('baseline'), between };
}

/** Each end is wrong with half of the chance. @param more further answers of the canary without an error */
function highestIncrease({ errors: { canary, baseline } }: Evidence, more: number): number {
  const high = shareBounds(canary.here, canary.elsewhere + more / canary.dispersion, WRONG_PASS / 2).high;
  return high - shareBounds(baseline.here, baseline.elsewhere, WRONG_PASS / 2).low;
}

function lowestIncrease({ policy, errors: { canary, baseline } }: Evidence): number {
  const low = shareBounds(canary.here, canary.elsewhere, policy.alpha / 2).low;
  return low - shareBounds(baseline.here, baseline.elsewhere, policy.alpha / 2).high;
}

/** Stands for as many answers as anybody could wait for. */
const MANY_ANSWERS = 2 ** 40;

/** The fewest further answers after which it holds, when it does for many. */
function fewest(holdsAfter: (answers: number) => boolean): number {
  let enough = 1;
  while (!holdsAfter(enough)) enough *= 2;
  let tooFew = Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (holdsAfter(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
