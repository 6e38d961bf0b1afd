import {
  type Evidence,
  type Finding,
  fails,
  holds,
  type Latency,
  type QuantilePair,
  rounded,
  WRONG_PASS,
} from './finding.ts';
import type { Interval, JudgeInputs } from './inputs.ts';
import { logEvidenceAbove, logEvidenceBelow, lowerBound, pairedMean, upperBound } from './paired-mean.ts';
import { quantileBounds } from './quantile-bounds.ts';
import type { Estimate } from './verdict.ts';

/** Compared where single answers are timed: the middle, the slow and the slowest. */
const QUANTILES = [0.5, 0.9, 0.99];

/** Finest step in which balancers tell times; below it a ratio means nothing. Added to both before they are divided. */
const RESOLUTION_MS = 1;

/** Fewer figures than this say nothing of their own noise. */
const FEWEST_FIGURES = 5;

/** Looked ahead at most so many times the figures there are. */
const FURTHEST = 2 ** 12;

/** Sums up the times of both sides. */
export function latencyOf({ policy, intervals, latencyMemory, timings }: JudgeInputs): Latency {
  const figures = ownFigures(intervals, latencyMemory ?? { canary: 0, baseline: 0 });
  const slower = pairedMean(
    figures.map(([canary, baseline]) => Math.log((canary + RESOLUTION_MS) / (baseline + RESOLUTION_MS))),
    meanOf(figures.map(([canary, baseline]) => roundingVariance(canary) + roundingVariance(baseline))),
  );
  const told = timings !== undefined && timings.canary.length > 0 && timings.baseline.length > 0;
  return { slower, quantiles: told ? quantilePairs(timings.canary, timings.baseline, policy.alpha) : null };
}

/** The canary answers more slowly: its mean over all figures, or a quantile of single answers. */
export function slowerThanBaseline({ policy, latency }: Evidence): Finding | undefined {
  const { maxSlowdownPercent: allowed } = policy;
  if (allowed === undefined) return undefined;
  const { slower, quantiles } = latency;
  const enough = slower.count >= FEWEST_FIGURES;
  // Two ways to be wrong share the chance.
  const alpha = quantiles === null ? policy.alpha : policy.alpha / 2;
  if (enough && logEvidenceAbove(slower, 0) >= -Math.log(alpha) && percentOf(slower.mean) > allowed) {
    return fails(
      'slower-than-baseline',
      `the canary answers ${rounded(percentOf(slower.mean))} % more slowly than the old revision; more than ${allowed} % are not allowed, and chance does not explain it`,
      `金丝雀的响应比旧版次慢 ${rounded(percentOf(slower.mean))} %；超过允许的 ${allowed} %，且不能用偶然解释`,
    );
  }
  const pair = quantiles?.find(
    ({ canary, baseline }) =>
      canary.low !== null && baseline.high !== null && canary.low > baseline.high * (1 + allowed / 100),
  );
  if (pair === undefined) return undefined;
  const { quantile, canary, baseline } = pair;
  return fails(
    'slower-quantile-than-baseline',
    `${100 * quantile} % of the canary's answers take up to ${rounded(canary.estimate)} ms, of the old revision's ${rounded(baseline.estimate)} ms; more than ${allowed} % longer is not allowed, and chance does not explain it`,
    `金丝雀 ${100 * quantile} % 的响应在 ${rounded(canary.estimate)} 毫秒内，旧版次为 ${rounded(baseline.estimate)} 毫秒；超过允许的 ${allowed} %，且不能用偶然解释`,
  );
}

/** The threshold rule for the slowest answers, whatever the old revision does. */
export function p99OverLimit({ policy, latency }: Evidence): Finding | undefined {
  const slowest = slowestOf(latency);
  const { maxP99Ms: limit } = policy;
  if (limit === undefined || slowest === undefined) return undefined;
  if (slowest.canary.low === null || slowest.canary.low <= limit) return undefined;
  return fails(
    'p99-over-limit',
    `99 % of the canary's answers take up to ${rounded(slowest.canary.estimate)} ms; more than ${limit} ms are not allowed, and chance does not explain it`,
    `金丝雀 99 % 的响应在 ${rounded(slowest.canary.estimate)} 毫秒内；超过允许的 ${limit} 毫秒，且不能用偶然解释`,
  );
}

/** Non-inferiority: that the canary is slower than allowed must be excluded, not only unseen. */
export function slowdownNotExcluded({ inputs, policy, latency: { slower } }: Evidence): Finding | undefined {
  const { maxSlowdownPercent: allowed } = policy;
  if (allowed === undefined) return undefined;
  const most = Math.log1p(allowed / 100);
  const within = (times: number) => {
    const longer = { ...slower, effective: slower.effective * times };
    return slower.count >= FEWEST_FIGURES && logEvidenceBelow(longer, most) >= -Math.log(WRONG_PASS);
  };
  if (within(1)) return undefined;
  if (slower.count < FEWEST_FIGURES) {
    const more = Math.ceil(((FEWEST_FIGURES - slower.count) * inputs.windowSeconds) / Math.max(slower.count, 1));
    return holds(
      'too-few-latency-figures',
      `there are ${slower.count} of the ${FEWEST_FIGURES} figures of how long both take to answer that a comparison needs; about ${more} s more bring them, or less with more traffic`,
      `比较需要 ${FEWEST_FIGURES} 个双方响应时间的数据，只有 ${slower.count} 个；还需约 ${more} 秒，流量更多则更短`,
    );
  }
  let times = 2;
  while (times < FURTHEST && !within(times)) times *= 2;
  const seconds = Math.ceil((times - 1) * inputs.windowSeconds);
  const shown = times < FURTHEST;
  return holds(
    'slowdown-not-excluded',
    `the canary answers ${rounded(percentOf(slower.mean))} % more slowly than the old revision; that it is at most ${allowed} % is not shown yet, ${shown ? `about ${seconds} s more like these would show it` : 'and figures like these will not show it'}`,
    `金丝雀的响应比旧版次慢 ${rounded(percentOf(slower.mean))} %；尚不能证明不超过 ${allowed} %，${shown ? `类似数据再约 ${seconds} 秒可证明` : '类似数据不能证明'}`,
  );
}

/** Nothing passes whose slowest answers are not shown to be within the limit. */
export function p99NotShown({ policy, latency }: Evidence): Finding | undefined {
  const { maxP99Ms: limit } = policy;
  if (limit === undefined) return undefined;
  const slowest = slowestOf(latency);
  if (slowest === undefined) {
    return holds(
      'no-timings',
      `that 99 % of the canary's answers take at most ${limit} ms can't be known: nobody times single answers of both`,
      `无法判断金丝雀 99 % 的响应是否在 ${limit} 毫秒内：没有双方单次响应的时间`,
    );
  }
  if (slowest.canaryHigh !== null && slowest.canaryHigh <= limit) return undefined;
  return holds(
    'p99-not-shown',
    `99 % of the canary's answers take up to ${rounded(slowest.canary.estimate)} ms; that it is at most ${limit} ms is not shown yet and needs more answers`,
    `金丝雀 99 % 的响应在 ${rounded(slowest.canary.estimate)} 毫秒内；尚不能证明不超过 ${limit} 毫秒，需要更多回答`,
  );
}

/** By how many percent the canary answers more slowly. */
export function slowdown({ policy, latency: { slower } }: Evidence): Estimate | null {
  if (slower.count < FEWEST_FIGURES) return null;
  const low = lowerBound(slower, policy.alpha);
  const high = upperBound(slower, WRONG_PASS);
  return {
    value: percentOf(slower.mean),
    low: low === null ? null : percentOf(low),
    high: high === null ? null : boundedPercent(high),
  };
}

export function p99Estimate({ latency }: Evidence): Estimate | null {
  const slowest = slowestOf(latency);
  if (slowest === undefined) return null;
  return { value: slowest.canary.estimate, low: slowest.canary.low, high: slowest.canaryHigh };
}

/**
 * Figures that share no requests: from each stretch in which both sides got as many requests as a figure remembers, the
 * last one, which has forgotten what was before the stretch.
 */
function ownFigures(
  intervals: readonly Interval[],
  memory: { readonly canary: number; readonly baseline: number },
): (readonly [canary: number, baseline: number])[] {
  const figures: (readonly [number, number])[] = [];
  let [canaryRequests, baselineRequests] = [0, 0];
  for (const { canary, baseline } of intervals) {
    canaryRequests += canary.requests;
    baselineRequests += baseline.requests;
    if (canaryRequests < memory.canary || baselineRequests < memory.baseline) continue;
    if (canary.latencyMs === null || baseline.latencyMs === null) continue;
    figures.push([canary.latencyMs, baseline.latencyMs]);
    [canaryRequests, baselineRequests] = [0, 0];
  }
  return figures;
}

function quantilePairs(canary: readonly number[], baseline: readonly number[], alpha: number): QuantilePair[] {
  const [canarySorted, baselineSorted] = [ascending(canary), ascending(baseline)];
  // Half of the chance is the paired figures'; each quantile of each side gets its part of the other half.
  const each = alpha / 2 / (2 * QUANTILES.length);
  return QUANTILES.map((quantile) => ({
    quantile,
    canary: quantileBounds(canarySorted, quantile, each),
    baseline: quantileBounds(baselineSorted, quantile, each),
    canaryHigh: quantileBounds(canarySorted, quantile, WRONG_PASS).high,
  }));
}

/** Variance of the logarithm of a time that was rounded to the resolution. */
function roundingVariance(ms: number): number {
  return (RESOLUTION_MS / (ms + RESOLUTION_MS)) ** 2 / 12;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function ascending(times: readonly number[]): number[] {
  return Array.from(Float64Array.from(times).sort());
}

function slowestOf({ quantiles }: Latency): QuantilePair | undefined {
  return quantiles?.find(({ quantile }) => quantile === 0.99);
}

function percentOf(logarithm: number): number {
  return 100 * Math.expm1(logarithm);
}

/** Far beyond anything that helps to decide, a bound is none; infinity is not JSON. */
function boundedPercent(logarithm: number): number | null {
  const percent = percentOf(logarithm);
  return Number.isFinite(percent) ? percent : null;
}
