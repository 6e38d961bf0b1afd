import { errsMore, oldRevisionOf } from './comparison.ts';
import { needs } from './data-rules.ts';
import { effectiveSplit, SEEN_NOISE } from './dispersion.ts';
import { type ErrorSplits, type Evidence, type Finding, fails, holds, rounded, WRONG_PASS } from './finding.ts';
import type { Interval, RevisionWindow } from './inputs.ts';
import { shareBounds, shownAbove, shownBelow } from './share-test.ts';
import type { Estimate } from './verdict.ts';

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
  if (!errsMore(evidence.comparison, evidence.policy.alpha)) return undefined;
  const errors = errorsOfAll(evidence);
  return fails('more-errors-than-baseline', `${errors.en}; chance does not explain it`, `${errors.zh}；不能用偶然解释`);
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
  const { policy, canary } = evidence;
  const { maxErrorIncreasePercent: allowed } = policy;
  if (allowed === undefined) return undefined;
  const high = (more: number) => 100 * highestIncrease(evidence, more);
  if (high(0) <= allowed) return undefined;
  const errors = errorsOfAll(evidence);
  const more = high(MANY_ANSWERS) <= allowed ? fewest((answers) => high(answers) <= allowed) : undefined;
  const wait = more === undefined ? undefined : needs(more, canary.requests, evidence.inputs.windowSeconds);
  return holds(
    'increase-not-excluded',
    `${errors.en}; that it is at most ${allowed} points worse is not shown yet, ${more === undefined ? 'and needs more answers of both' : `about ${more} more answers without an error would show it`}${wait?.en ?? ''}`,
    `${errors.zh}；尚不能证明最多差 ${allowed} 个百分点，${more === undefined ? '双方都需要更多回答' : `还需约 ${more} 次无错误的回答`}${wait?.zh ?? ''}`,
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

export function errorPercent({ requests, errors }: RevisionWindow): number | null {
  return requests > 0 ? (100 * errors) / requests : null;
}

function errorsOf(who: string, window: RevisionWindow): string {
  const percent = rounded(errorPercent(window) ?? 0);
  return `${who} answered ${window.errors} of ${window.requests} requests with an error (${percent} %)`;
}

function errorsOfZh(who: string, window: RevisionWindow): string {
  return `${who} ${window.requests} 次请求中 ${window.errors} 次出错（${rounded(errorPercent(window) ?? 0)} %）`;
}

/** The errors of all that are counted, and with whom the canary is compared where that is not plain. */
export function errorsOfAll({ canary, baseline, others, comparison }: Evidence): { en: string; zh: string } {
  const [en, zh] = [errorsOf('the canary', canary), errorsOfZh('金丝雀', canary)];
  if (others === null) {
    return { en: `${en}, ${errorsOf('the old revision', baseline)}`, zh: `${zh}，${errorsOfZh('旧版次', baseline)}` };
  }
  const alone = comparison.against === 'baseline-alone';
  const why = alone
    ? 'compared with the fresh ones alone, since these err more than the others'
    : 'compared with all of them, since fresh ones do not err more than the others';
  const whyZh = alone ? '新实例的错误比其他实例多，只与新实例比较' : '新实例的错误不比其他实例多，与全部比较';
  return {
    en: `${en}, ${errorsOf('fresh instances of the old revision', baseline)}, ${errorsOf('its others', others)}; ${why}`,
    zh: `${zh}，${errorsOfZh('旧版次的新实例', baseline)}，${errorsOfZh('旧版次的其他实例', others)}；${whyZh}`,
  };
}

/** How errors are spread, each count divided by the noise that belongs to it. */
export function errorSplits(intervals: readonly Interval[]): ErrorSplits {
  const of = (side: (interval: Interval) => Pick<RevisionWindow, 'errors' | 'requests'>) =>
    effectiveSplit(
      intervals.map(side).map(({ errors, requests }) => ({ here: errors, total: requests, share: 0.5 })),
      SEEN_NOISE,
    );
  return {
    canary: of(({ canary }) => canary),
    baseline: of(({ baseline }) => baseline),
    oldRevision: of(oldRevisionOf),
  };
}

/**
 * Each end is wrong with half of the chance. Of what the canary is compared with, the one that errs less counts, so that
 * nothing passes that is not shown against each. @param more further answers of the canary without an error
 */
function highestIncrease({ errors: { canary, baseline, oldRevision } }: Evidence, more: number): number {
  const high = shareBounds(canary.here, canary.elsewhere + more / canary.dispersion, WRONG_PASS / 2).high;
  const lows = [baseline, oldRevision].map(({ here, elsewhere }) => shareBounds(here, elsewhere, WRONG_PASS / 2).low);
  return high - Math.min(...lows);
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
