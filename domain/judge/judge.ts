import { digestOf } from '../digest.ts';
import { compareErrors, FRESH_WORSE_FROM, STRICTER_WHERE_ALIKE, told } from './comparison.ts';
import {
  baselineDataMissing,
  canaryDataMissing,
  figuresContradict,
  figuresMissing,
  SHARE_TOLERANCE_PERCENT,
  trafficSplitDiffers,
} from './data-rules.ts';
import {
  errorIncrease,
  errorPercent,
  errorShareOverLimit,
  errorSplits,
  errorsOfAll,
  increaseNotExcluded,
  limitNotShown,
  moreErrorsThanBaseline,
} from './error-rules.ts';
import { type Evidence, type Finding, type Rule, rounded, WRONG_PASS } from './finding.ts';
import { type JudgeInputs, windowOf } from './inputs.ts';
import {
  latencyOf,
  p99Estimate,
  p99NotShown,
  p99OverLimit,
  slowdown,
  slowdownNotExcluded,
  slowerThanBaseline,
} from './latency-rules.ts';
import type { Verdict } from './verdict.ts';

/** Raised with every change of a rule or a parameter, so that a recorded verdict can be computed again. */
export const JUDGE_VERSION = 3;

/**
 * Asked in this order; the first that says something decides, and what none has anything to say of passes. Missing or
 * odd figures never pass and never fail a canary. Every test holds its error rate however often it is asked while the
 * figures grow.
 */
const RULES: readonly Rule[] = [
  figuresContradict,
  canaryDataMissing,
  errorShareOverLimit,
  p99OverLimit,
  baselineDataMissing,
  trafficSplitDiffers,
  moreErrorsThanBaseline,
  slowerThanBaseline,
  figuresMissing,
  limitNotShown,
  increaseNotExcluded,
  slowdownNotExcluded,
  p99NotShown,
];

/**
 * Judges a canary by what the balancer counted for it and, at the same time, for the old revision: for fresh instances of
 * it, and for those that were there. Pure: equal inputs give an equal verdict, bit by bit.
 *
 * - `fail` with `error-share-over-limit` or `p99-over-limit`: the canary is over a threshold, not by chance.
 * - `fail` with `more-errors-than-baseline`, `slower-than-baseline` or `slower-quantile-than-baseline`: it is worse than
 *   the old revision. A canary that is not worse than fresh instances of that is failed by the rules for errors, and by
 *   those for times, with a chance of at most `policy.alpha` each; by those for errors a fifth of it where fresh instances
 *   err as the others do.
 * - `pass` with `not-inferior`: nothing of this, and everything that the policy allows at most is shown to be so. A canary
 *   that is worse than one of these limits passes that rule with a chance of at most 10 %.
 * - `inconclusive` else; the sentence says what is missing, and how much.
 */
export function judgeCanary(inputs: JudgeInputs): Verdict {
  const evidence = evidenceOf(inputs);
  const { result, rule, sentence, sentenceZh } = firstFinding(evidence);
  const { canary, baseline, others, policy } = evidence;
  const { baselineShare } = inputs;
  const readable = rule !== 'figures-contradict';
  return {
    result,
    rule,
    sentence,
    sentenceZh,
    canary,
    baseline,
    others,
    canaryErrorPercent: errorPercent(canary),
    baselineErrorPercent: errorPercent(baseline),
    comparison: readable ? told(evidence.comparison, inputs.intervals) : null,
    errorIncrease: readable ? errorIncrease(evidence) : null,
    slowdown: readable ? slowdown(evidence) : null,
    p99: readable ? p99Estimate(evidence) : null,
    parameters: {
      ...policy,
      canaryShare: inputs.canaryShare,
      ...(baselineShare === undefined ? {} : { baselineShare }),
      shareTolerancePercent: SHARE_TOLERANCE_PERCENT,
      wrongPass: WRONG_PASS,
      alphaWhereAlike: policy.alpha / STRICTER_WHERE_ALIKE,
      freshWorseFrom: FRESH_WORSE_FROM,
    },
    inputHash: digestOf(inputs),
    judgeVersion: JUDGE_VERSION,
  };
}

/** The decision alone, for those who need many. */
export function decide(inputs: JudgeInputs): Finding {
  return firstFinding(evidenceOf(inputs));
}

function firstFinding(evidence: Evidence): Finding {
  const finding = RULES.reduce<Finding | undefined>((found, rule) => found ?? rule(evidence), undefined);
  return finding ?? notInferior(evidence);
}

function evidenceOf(inputs: JudgeInputs): Evidence {
  const { policy, intervals } = inputs;
  return {
    inputs,
    policy,
    canary: windowOf(intervals, 'canary'),
    baseline: windowOf(intervals, 'baseline'),
    others: intervals.some(({ others }) => others !== undefined) ? windowOf(intervals, 'others') : null,
    comparison: compareErrors(intervals),
    errors: errorSplits(intervals),
    latency: latencyOf(inputs),
  };
}

function notInferior(evidence: Evidence): Finding {
  const { policy } = evidence;
  const errors = errorsOfAll(evidence);
  const slower = policy.maxSlowdownPercent === undefined ? null : slowdown(evidence);
  const times = slower && { value: rounded(slower.value), allowed: policy.maxSlowdownPercent };
  return {
    result: 'pass',
    rule: 'not-inferior',
    sentence:
      `${errors.en}; up to ${policy.maxErrorPercent} % are allowed` +
      (times ? `; it answers ${times.value} % more slowly, up to ${times.allowed} % are allowed` : ''),
    sentenceZh:
      `${errors.zh}；允许不超过 ${policy.maxErrorPercent} %` +
      (times ? `；响应慢 ${times.value} %，允许不超过 ${times.allowed} %` : ''),
  };
}
