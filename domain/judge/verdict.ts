import type { JudgePolicy } from '../manifest.ts';
import type { RevisionWindow } from './inputs.ts';

/** What a judge says of a canary, with its evidence. The same inputs always give an equal verdict. */
export interface Verdict {
  readonly result: 'pass' | 'fail' | 'inconclusive';
  /** Stable name of the rule that fired, such as `error-share-over-limit`. */
  readonly rule: string;
  /** One plain sentence, in English and in Chinese. */
  readonly sentence: string;
  readonly sentenceZh: string;
  readonly canary: RevisionWindow;
  readonly baseline: RevisionWindow;
  /** Percent of canary and baseline answers that were 5xx; null when nothing was asked. */
  readonly canaryErrorPercent: number | null;
  readonly baselineErrorPercent: number | null;
  /** Evidence that errors fall on the canary otherwise than traffic does; null when there were none to compare. */
  readonly bayesFactor: number | null;
  /** How many percentage points more answers of the canary are errors; null while one side has no answers. */
  readonly errorIncrease: Estimate | null;
  /** By how many percent the canary answers more slowly; null while there are too few latency figures of both. */
  readonly slowdown: Estimate | null;
  /** The time that 99 % of the canary's answers stay under, ms; null where single answers are not timed. */
  readonly p99: Estimate | null;
  readonly parameters: JudgeParameters;
  /** `sha256:` of the inputs in canonical JSON. */
  readonly inputHash: string;
  readonly judgeVersion: number;
}

/** A figure with the interval that, however often one looks, holds the true one. */
export interface Estimate {
  readonly value: number;
  /** The true figure is below it with a chance of at most `alpha`; null while nothing bounds it. */
  readonly low: number | null;
  /** The true figure is above it with a chance of at most `wrongPass`; null while nothing bounds it. */
  readonly high: number | null;
}

/** What the rules were held to. */
export interface JudgeParameters extends JudgePolicy {
  /** Percent of the traffic that the canary was given. */
  readonly canaryShare: number;
  /** By how many percent of that the share may be off before figures are not compared. */
  readonly shareTolerancePercent: number;
  /** Chance at most of passing a canary that is worse than allowed, for each rule. */
  readonly wrongPass: number;
}
