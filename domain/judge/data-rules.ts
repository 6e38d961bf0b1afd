import { type Evidence, type Finding, holds, rounded } from './finding.ts';
import { type IntervalFigures, NO_FIGURES, type RevisionWindow } from './inputs.ts';
import { shownAbove, shownBelow } from './share-test.ts';

/**
 * By how many percent of itself the canary's share may be off. Whole weights of balancers come near a share, not onto it;
 * what is meant to be found is weight that was not applied, and clients that stay where they were.
 */
export const SHARE_TOLERANCE_PERCENT = 20;

/** Figures come a second or two late; a gap that is longer than this and than a quarter of the window is no lateness. */
const LATE_SECONDS = 5;
const MOST_MISSING = 0.25;

export function figuresContradict({ inputs, canary, baseline, others }: Evidence): Finding | undefined {
  const timings = [...(inputs.timings?.canary ?? []), ...(inputs.timings?.baseline ?? [])];
  const odd =
    inputs.intervals.some((interval) =>
      [interval.canary, interval.baseline, interval.others ?? NO_FIGURES].some((figures) => !canBe(figures)),
    ) || timings.some((ms) => !isTime(ms));
  if (!odd) return undefined;
  const said = ({ requests, errors, seconds }: RevisionWindow) => [requests, errors, seconds] as const;
  const [requests, errors, seconds] = said(canary);
  const [oldRequests, oldErrors, oldSeconds] = said(baseline);
  const [otherRequests, otherErrors, otherSeconds] = said(others ?? NO_FIGURES);
  const rest =
    others === null
      ? { en: '', zh: '' }
      : {
          en: `, ${otherRequests} requests, ${otherErrors} errors in ${otherSeconds} s of its other instances`,
          zh: `，其他实例 ${otherSeconds} 秒内 ${otherRequests} 次请求、${otherErrors} 次错误`,
        };
  return holds(
    'figures-contradict',
    `the figures can't be right: ${requests} requests, ${errors} errors in ${seconds} s of the canary, ${oldRequests} requests, ${oldErrors} errors in ${oldSeconds} s of the old revision${rest.en}`,
    `数据有误：金丝雀 ${seconds} 秒内 ${requests} 次请求、${errors} 次错误，旧版次 ${oldSeconds} 秒内 ${oldRequests} 次请求、${oldErrors} 次错误${rest.zh}`,
  );
}

function canBe({ requests, errors, seconds, latencyMs }: IntervalFigures): boolean {
  const counts = [requests, errors].every((count) => Number.isSafeInteger(count) && count >= 0);
  return counts && errors <= requests && isTime(seconds) && (latencyMs === null || isTime(latencyMs));
}

function isTime(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

export function canaryDataMissing({ inputs, policy, canary }: Evidence): Finding | undefined {
  if (canary.requests >= policy.minRequests) return undefined;
  const more = needs(policy.minRequests - canary.requests, canary.requests, inputs.windowSeconds);
  return holds(
    canary.requests === 0 ? 'no-canary-traffic' : 'too-few-canary-requests',
    `the canary has answered ${counted(canary)} of the ${policy.minRequests} requests a verdict needs${more.en}`,
    `判定需要 ${policy.minRequests} 次请求，金丝雀只回答了 ${canary.requests} 次${more.zh}`,
  );
}

export function baselineDataMissing({ inputs, policy, baseline }: Evidence): Finding | undefined {
  if (baseline.requests >= policy.minRequests) return undefined;
  const more = needs(policy.minRequests - baseline.requests, baseline.requests, inputs.windowSeconds);
  return holds(
    baseline.requests === 0 ? 'no-baseline-traffic' : 'too-few-baseline-requests',
    `the old revision has answered ${counted(baseline)} of the ${policy.minRequests} requests a comparison needs${more.en}`,
    `比较需要 ${policy.minRequests} 次请求，旧版次只回答了 ${baseline.requests} 次${more.zh}`,
  );
}

/** Good figures of a part of the time say nothing of the rest. */
export function figuresMissing({ inputs, canary, baseline, others }: Evidence): Finding | undefined {
  const { windowSeconds } = inputs;
  const known = Math.min(canary.seconds, baseline.seconds, others?.seconds ?? Number.POSITIVE_INFINITY);
  const missing = windowSeconds - known;
  if (missing <= LATE_SECONDS || missing <= MOST_MISSING * windowSeconds) return undefined;
  return holds(
    'figures-missing',
    `there are figures of ${rounded(known)} s of the last ${rounded(windowSeconds)} s only; nothing is decided on a part`,
    `最近 ${rounded(windowSeconds)} 秒中只有 ${rounded(known)} 秒有数据；不能据此判定`,
  );
}

/**
 * The sample-ratio test: who does not get the share that was asked for is not compared. Of all that is counted the canary
 * must have its share, and a baseline beside others its own; what is left is the others'.
 */
export function trafficSplitDiffers({ inputs, policy, canary, baseline, others }: Evidence): Finding | undefined {
  const { canaryShare, baselineShare } = inputs;
  const all = canary.requests + baseline.requests + (others?.requests ?? 0);
  const asked = [
    { en: 'the canary', zh: '金丝雀', requests: canary.requests, percent: canaryShare },
    ...(baselineShare === undefined
      ? []
      : [{ en: 'the baseline', zh: '基线', requests: baseline.requests, percent: baselineShare }]),
  ];
  // Ways to be wrong share the chance.
  const alpha = policy.alpha / (2 * asked.length);
  const off = asked.find(({ requests, percent }) => {
    const tolerance = (percent * SHARE_TOLERANCE_PERCENT) / 100;
    const elsewhere = all - requests;
    return (
      shownAbove(requests, elsewhere, (percent + tolerance) / 100, alpha) ||
      shownBelow(requests, elsewhere, (percent - tolerance) / 100, alpha)
    );
  });
  if (off === undefined) return undefined;
  const seen = rounded((100 * off.requests) / all);
  return holds(
    'traffic-split-differs',
    `${off.en} got ${seen} % of the requests and not the ${rounded(off.percent)} % that were asked for, and chance does not explain it; sides that are not asked as planned are not compared`,
    `${off.zh}得到 ${seen} % 的请求，而不是要求的 ${rounded(off.percent)} %，且不能用偶然解释；流量分配不符，不作比较`,
  );
}

/** How many more requests it takes, and how long that lasts if they come as they came. */
export function needs(more: number, soFar: number, seconds: number): { readonly en: string; readonly zh: string } {
  if (soFar <= 0) return { en: '', zh: '' };
  const wait = Math.ceil((more * seconds) / soFar);
  return {
    en: `; ${more} more are needed, which take about ${wait} s at this rate, or less with more traffic`,
    zh: `；还需要 ${more} 次，按目前速度约 ${wait} 秒，流量更多则更短`,
  };
}

function counted({ requests }: RevisionWindow): string {
  return requests === 0 ? 'none' : String(requests);
}
