import type { JudgePolicy } from '../manifest.ts';

/** Everything a verdict rests on: plain JSON, so that it can be kept and judged again. */
export interface JudgeInputs {
  readonly policy: JudgePolicy;
  /** Percent of the traffic, of all sides that are counted, that the canary was given. */
  readonly canaryShare: number;
  /** The same of the baseline; absent where it was given all the rest. */
  readonly baselineShare?: number;
  /** How long the canary has had it, seconds. */
  readonly windowSeconds: number;
  /** Figures of all sides, interval by interval, in the order of time. */
  readonly intervals: readonly Interval[];
  /**
   * How many requests to each side a latency figure remembers: what a balancer tells is a moving average, and figures
   * that share requests are not two. Absent where the figure of an interval is of that interval alone.
   */
  readonly latencyMemory?: { readonly canary: number; readonly baseline: number };
  /** Times of single answers, ms; absent where nobody keeps them. */
  readonly timings?: { readonly canary: readonly number[]; readonly baseline: readonly number[] };
}

export interface Interval {
  readonly canary: IntervalFigures;
  /** Fresh instances of the old revision where there are some, else the old revision. */
  readonly baseline: IntervalFigures;
  /** Instances of the old revision beside fresh ones; absent where there are none, or none that are asked. */
  readonly others?: IntervalFigures;
}

/** What was counted for one side in one interval. */
export interface IntervalFigures {
  readonly requests: number;
  /** Answers with status 5xx. */
  readonly errors: number;
  /** How much of the interval has figures, seconds. */
  readonly seconds: number;
  /** Mean time to an answer, ms; null where nothing was measured. */
  readonly latencyMs: number | null;
}

/** Nothing was counted. */
export const NO_FIGURES: IntervalFigures = { requests: 0, errors: 0, seconds: 0, latencyMs: null };

/** What was counted for one side over the whole window. */
export interface RevisionWindow {
  readonly requests: number;
  /** Answers with status 5xx. */
  readonly errors: number;
  /** How much of the window has figures, seconds. */
  readonly seconds: number;
}

export type Side = 'canary' | 'baseline' | 'others';

/** The figures of one side, added up. */
export function windowOf(intervals: readonly Interval[], side: Side): RevisionWindow {
  return intervals.reduce<RevisionWindow>(
    (sum, { [side]: { requests, errors, seconds } = NO_FIGURES }) => ({
      requests: sum.requests + requests,
      errors: sum.errors + errors,
      seconds: sum.seconds + seconds,
    }),
    { requests: 0, errors: 0, seconds: 0 },
  );
}
