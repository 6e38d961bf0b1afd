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
  /** Fresh instances of the old revision where there were some, else the old revision. */
  readonly baseline: RevisionWindow;
  /** Instances of the old revision beside fresh ones; null where none were counted. */
  readonly others: RevisionWindow | null;
  /** Percent of canary and baseline answers that were 5xx; null when nothing was asked. */
  readonly canaryErrorPercent: number | null;
  readonly baselineErrorPercent: number | null;
  /** Whose errors the canary's were compared with, and what came of it; null where figures contradict each other. */
  readonly comparison: ErrorComparison | null;
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

/** With whom the canary was compared, and how strongly errors fall on it more often than requests do. */
export interface ErrorComparison {
  /**
   * `baseline-and-others`: with fresh and other instances of the old revision together.
   * `baseline-alone`: with fresh ones, since they err more than the others, and only they are as young as the canary.
   * `baseline`: there was nothing else to compare with.
   */
  readonly against: 'baseline' | 'baseline-alone' | 'baseline-and-others';
  /** Evidence of all that it was compared with; null when there were no errors. */
  readonly bayesFactor: number | null;
  /** Evidence of the comparison with the baseline alone; null when neither had errors. */
  readonly baselineBayesFactor: number | null;
  /** Evidence that fresh instances err more than the others; null without others, and when neither had errors. */
  readonly freshWorseBayesFactor: number | null;
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
  /** Percent of the traffic, of all sides that were counted, that the canary was given. */
  readonly canaryShare: number;
  /** The same of the baseline; absent where it was given all the rest. */
  readonly baselineShare?: number;
  /** By how many percent of that the share may be off before figures are not compared. */
  readonly shareTolerancePercent: number;
  /** Chance at most of passing a canary that is worse than allowed, for each rule. */
  readonly wrongPass: number;
  /** Chance at most that more errors are found wrongly where fresh and other instances of the old revision are alike. */
  readonly alphaWhereAlike: number;
  /** Bayes factor from which on fresh ones are taken to err more, and are compared with alone. */
  readonly freshWorseFrom: number;
}
