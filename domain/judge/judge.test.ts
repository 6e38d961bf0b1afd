import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JudgePolicy } from '../manifest.ts';
import { JUDGE_VERSION, judgeCanary } from './judge.ts';
import type { RevisionWindow, Verdict } from './verdict.ts';

const POLICY: JudgePolicy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };

function judge(canary: [number, number], baseline: [number, number], policy: Partial<JudgePolicy> = {}): Verdict {
  const window = ([requests, errors]: [number, number]): RevisionWindow => ({ requests, errors, seconds: 10 });
  return judgeCanary({ ...POLICY, ...policy }, window(canary), window(baseline));
}

describe('judgeCanary', () => {
  it.each<[string, [number, number], [number, number], Partial<JudgePolicy>, Verdict['result'], string]>([
    ['nobody asked anything', [0, 0], [0, 0], {}, 'inconclusive', 'no-canary-traffic'],
    ['the canary got no traffic', [0, 0], [900, 0], {}, 'inconclusive', 'no-canary-traffic'],
    ['one error of three requests', [3, 1], [30, 0], {}, 'inconclusive', 'too-few-canary-requests'],
    ['nothing to compare with', [500, 5], [0, 0], {}, 'inconclusive', 'no-baseline-traffic'],
    ['little to compare with', [500, 5], [49, 0], {}, 'inconclusive', 'too-few-baseline-requests'],
    ['half of all fails, nothing to compare with', [60, 30], [0, 0], {}, 'fail', 'error-share-over-limit'],
    ['both far over the limit', [500, 100], [4500, 900], {}, 'fail', 'error-share-over-limit'],
    ['20 % on the canary alone', [50, 10], [450, 0], {}, 'fail', 'more-errors-than-baseline'],
    ['3 % against none, under the limit', [400, 12], [3600, 0], {}, 'fail', 'more-errors-than-baseline'],
    ['6 % of 50 may be chance', [50, 3], [450, 14], {}, 'inconclusive', 'limit-not-shown'],
    ['no error, too few to know', [60, 0], [540, 0], {}, 'inconclusive', 'limit-not-shown'],
    ['no error', [200, 0], [1800, 0], {}, 'pass', 'error-share-within-limit'],
    ['as many as the old revision', [1000, 20], [9000, 180], {}, 'pass', 'error-share-within-limit'],
    ['far fewer than the old revision', [1000, 0], [9000, 900], {}, 'pass', 'error-share-within-limit'],
    [
      'more requests wanted than asked',
      [200, 0],
      [1800, 0],
      { minRequests: 201 },
      'inconclusive',
      'too-few-canary-requests',
    ],
    ['no error is allowed, one came', [500, 1], [4500, 9], { maxErrorPercent: 0 }, 'fail', 'error-share-over-limit'],
    ['no error is allowed, none came', [50, 0], [450, 0], { maxErrorPercent: 0 }, 'pass', 'error-share-within-limit'],
    ['any share is allowed', [50, 50], [450, 450], { maxErrorPercent: 100 }, 'pass', 'error-share-within-limit'],
    [
      'any share is allowed, but not a change',
      [50, 50],
      [450, 0],
      { maxErrorPercent: 100 },
      'fail',
      'more-errors-than-baseline',
    ],
    ['more errors than requests', [50, 51], [450, 0], {}, 'inconclusive', 'figures-contradict'],
    ['a negative count', [500, 0], [-1, 0], {}, 'inconclusive', 'figures-contradict'],
    ['a figure that is none', [500, Number.NaN], [4500, 0], {}, 'inconclusive', 'figures-contradict'],
  ])('%s', (_, canary, baseline, policy, result, rule) => {
    expect(judge(canary, baseline, policy)).toMatchObject({ result, rule });
  });

  it('says its figures', () => {
    expect(judge([50, 10], [450, 1])).toMatchObject({
      sentence:
        'the canary answered 10 of 50 requests with an error (20 %), ' +
        'the old revision answered 1 of 450 requests with an error (0.22 %); chance does not explain it',
      canary: { requests: 50, errors: 10, seconds: 10 },
      baseline: { requests: 450, errors: 1, seconds: 10 },
      canaryErrorPercent: 20,
      baselineErrorPercent: 100 / 450,
      judgeVersion: JUDGE_VERSION,
    });
    expect(judge([30, 0], [450, 0]).sentence).toBe('the canary has answered 30 of the 50 requests a verdict needs');
    expect(judge([0, 0], [450, 0])).toMatchObject({ canaryErrorPercent: null, bayesFactor: null });
  });

  it('says how many more requests would do, and is right', () => {
    const verdict = judge([60, 1], [540, 0]);
    const more = Number(/about (\d+) more/.exec(verdict.sentence)?.[1]);
    expect(judge([60 + more, 1], [540 + 9 * more, 0]).result).toBe('pass');
    expect(judge([60 + more - 1, 1], [540 + 9 * (more - 1), 0]).result).toBe('inconclusive');
  });

  it('holds what the comparison rests on: the Bayes factor of the split of errors', () => {
    // One event on the side that gets a tenth of the traffic: B(2, 9) / B(1, 9) / 0.1 = 1.
    expect(judge([100, 1], [900, 0]).bayesFactor).toBeCloseTo(1, 12);
    // Two: B(3, 9) / B(1, 9) / 0.01 = (1 x 2) / (10 x 11) x 100.
    expect(judge([100, 2], [900, 0]).bayesFactor).toBeCloseTo(200 / 110, 12);
    expect(judge([1e6, 1e6], [9e6, 0]).bayesFactor).toBe(1e12);
  });

  it('gives a verdict that survives JSON for any figures, and never passes what has no data', () => {
    const figure = fc.oneof(fc.nat(1000), fc.constantFrom(-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e15));
    const window = fc.record({ requests: figure, errors: figure, seconds: fc.nat(100) });
    fc.assert(
      fc.property(window, window, fc.integer({ min: 0, max: 100 }), (canary, baseline, maxErrorPercent) => {
        const verdict = judgeCanary({ ...POLICY, maxErrorPercent }, canary, baseline);
        if (verdict.result === 'pass') {
          expect(Math.min(canary.requests, baseline.requests)).toBeGreaterThanOrEqual(POLICY.minRequests);
        }
        const { canary: _, baseline: __, ...said } = verdict;
        if (verdict.rule !== 'figures-contradict') expect(JSON.parse(JSON.stringify(said))).toEqual(said);
      }),
      { numRuns: 2000 },
    );
  });

  it('is not moved from fail by one error more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 2000 }), fc.nat(300), fc.nat(300), (requests, errors, baselineErrors) => {
        fc.pre(errors < requests);
        const [now, worse] = [errors, errors + 1].map((count) =>
          judge([requests, count], [9 * requests, baselineErrors]),
        );
        if (now?.result === 'fail') expect(worse?.result).toBe('fail');
      }),
    );
  });
});

describe('judgeCanary, watched', () => {
  it.each([
    // share of errors on both, percent; alpha; share of traffic
    [0.1, 0.01, 0.1],
    [1, 0.01, 0.1],
    [2, 0.05, 0.1],
    [2, 0.05, 0.5],
  ])(
    'raises false alarms no more often than alpha in 60 looks: %d %% on both, alpha %d, share %d',
    (percent, alpha, share) => {
      const runs = 1000;
      const alarms = countRuns(runs, (random) =>
        watch(random, {
          looks: 60,
          perLook: 300,
          share,
          canary: percent / 100,
          baseline: percent / 100,
          alpha,
        }).includes('fail'),
      );
      expect(alarms / runs).toBeLessThanOrEqual(alpha);
    },
  );

  it('fails a canary exactly at the limit no more often than alpha, and passes it no more often than 10 %', () => {
    const runs = 1000;
    let failed = 0;
    const passed = countRuns(runs, (random) => {
      const results = watch(random, { looks: 60, perLook: 300, share: 0.1, canary: 0.05, baseline: 0.05, alpha: 0.01 });
      if (results.includes('fail')) failed++;
      return results.includes('pass');
    });
    // Two rules may fail it here, each with its own alpha.
    expect(failed / runs).toBeLessThanOrEqual(0.02);
    expect(passed / runs).toBeLessThanOrEqual(0.1);
  });

  it('finds 20 % errors in 50 canary requests nine times of ten, and in 100 nearly always', () => {
    const found = (requests: number) =>
      countRuns(1000, (random) => {
        const errors = binomial(random, requests, 0.2);
        return judge([requests, errors], [9 * requests, binomial(random, 9 * requests, 0.001)]).result === 'fail';
      });
    expect(found(50)).toBeGreaterThanOrEqual(900);
    expect(found(100)).toBeGreaterThanOrEqual(990);
  });

  it('passes a healthy canary', () => {
    const passed = countRuns(1000, (random) => {
      const results = watch(random, {
        looks: 5,
        perLook: 300,
        share: 0.1,
        canary: 0.001,
        baseline: 0.001,
        alpha: 0.01,
      });
      return results.at(-1) === 'pass';
    });
    expect(passed).toBeGreaterThanOrEqual(980);
  });
});

interface Watch {
  readonly looks: number;
  /** Requests to both between two looks. */
  readonly perLook: number;
  /** Of the traffic, on the canary. */
  readonly share: number;
  /** Shares of errors, 0..1. */
  readonly canary: number;
  readonly baseline: number;
  readonly alpha: number;
}

/** The results of every look at growing windows of a simulated canary. */
function watch(random: () => number, { looks, perLook, share, canary, baseline, alpha }: Watch): Verdict['result'][] {
  const counts = { canary: 0, canaryErrors: 0, baseline: 0, baselineErrors: 0 };
  return Array.from({ length: looks }, () => {
    const toCanary = binomial(random, perLook, share);
    counts.canary += toCanary;
    counts.baseline += perLook - toCanary;
    counts.canaryErrors += binomial(random, toCanary, canary);
    counts.baselineErrors += binomial(random, perLook - toCanary, baseline);
    return judge([counts.canary, counts.canaryErrors], [counts.baseline, counts.baselineErrors], { alpha }).result;
  });
}

/** How many of the runs hold; every run has its own seed, so that a failure can be repeated. */
function countRuns(runs: number, holds: (random: () => number) => boolean): number {
  return Array.from({ length: runs }, (_, run) => holds(mulberry32(run + 1))).filter(Boolean).length;
}

/** A binomial draw by inversion: one uniform number walks up the distribution. */
function binomial(random: () => number, n: number, p: number): number {
  let left = random();
  let probability = (1 - p) ** n;
  let count = 0;
  while (left > probability && count < n) {
    left -= probability;
    count++;
    probability *= ((n - count + 1) / count) * (p / (1 - p));
  }
  return count;
}

/** The generator mulberry32 by Tommy Ettinger (public domain): 32 bits of state, uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
