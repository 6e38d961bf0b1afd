import type { JudgePolicy } from '../manifest.ts';
import type { Comparison } from './comparison.ts';
import type { EffectiveSplit } from './dispersion.ts';
import type { JudgeInputs, RevisionWindow } from './inputs.ts';
import type { PairedMean } from './paired-mean.ts';
import type { QuantileBounds } from './quantile-bounds.ts';
import type { Verdict } from './verdict.ts';

/** Chance at most of passing a canary that is worse than a rule allows. */
export const WRONG_PASS = 0.1;

/** What the rules look at: the inputs, with the sums that several of them need. */
export interface Evidence {
  readonly inputs: JudgeInputs;
  readonly policy: JudgePolicy;
  readonly canary: RevisionWindow;
  readonly baseline: RevisionWindow;
  /** Instances of the old revision beside a fresh baseline; null where none are counted. */
  readonly others: RevisionWindow | null;
  readonly comparison: Comparison;
  readonly errors: ErrorSplits;
  readonly latency: Latency;
}

/** Errors among the answers of each side, each count divided by the noise that belongs to it. */
export interface ErrorSplits {
  readonly canary: EffectiveSplit;
  readonly baseline: EffectiveSplit;
  /** Baseline and others together. */
  readonly oldRevision: EffectiveSplit;
}

/** What is known of the times. */
export interface Latency {
  /** Logarithms of how many times slower the canary is, figure by figure. */
  readonly slower: PairedMean;
  /** Quantiles of single answers; null where they are not timed. */
  readonly quantiles: readonly QuantilePair[] | null;
}

/** One quantile of both sides, bounded at the policy's alpha, all of them together. */
export interface QuantilePair {
  /** Such as 0.99. */
  readonly quantile: number;
  readonly canary: QuantileBounds;
  readonly baseline: QuantileBounds;
  /** A bound that the canary's is above with a chance of at most `WRONG_PASS`, ms. */
  readonly canaryHigh: number | null;
}

/** What one rule says. */
export interface Finding {
  readonly result: Verdict['result'];
  readonly rule: string;
  readonly sentence: string;
  readonly sentenceZh: string;
}

/** Says something, or leaves the word to the next rule. */
export type Rule = (evidence: Evidence) => Finding | undefined;

export function fails(rule: string, sentence: string, sentenceZh: string): Finding {
  return { result: 'fail', rule, sentence, sentenceZh };
}

export function holds(rule: string, sentence: string, sentenceZh: string): Finding {
  return { result: 'inconclusive', rule, sentence, sentenceZh };
}

/** To two significant digits, and three from 10 on, so that a small figure does not read as none. */
export function rounded(figure: number): string {
  return String(Math.abs(figure) >= 10 ? Math.round(figure * 10) / 10 : Number(figure.toPrecision(2)));
}
