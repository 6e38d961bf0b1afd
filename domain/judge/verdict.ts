/** What the balancer counted for one revision over a window. */
export interface RevisionWindow {
  readonly requests: number;
  /** Answers with status 5xx. */
  readonly errors: number;
  /** Length of the window that has figures, seconds. */
  readonly seconds: number;
}

/** What a judge says of a canary, with its evidence. The same inputs always give an equal verdict. */
export interface Verdict {
  readonly result: 'pass' | 'fail' | 'inconclusive';
  /** Stable name of the rule that fired, such as `error-share-over-limit`. */
  readonly rule: string;
  /** One plain sentence. */
  readonly sentence: string;
  readonly canary: RevisionWindow;
  readonly baseline: RevisionWindow;
  /** Percent of canary and baseline answers that were 5xx; null when nothing was asked. */
  readonly canaryErrorPercent: number | null;
  readonly baselineErrorPercent: number | null;
  /** Evidence that errors split otherwise than traffic does; null when there were none to compare. */
  readonly bayesFactor: number | null;
  readonly judgeVersion: number;
}
