import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Arm, looks, seeded } from '../../test/simulated-canary.ts';
import type { JudgePolicy } from '../manifest.ts';
import type { Interval, IntervalFigures, JudgeInputs } from './inputs.ts';
import { decide, JUDGE_VERSION, judgeCanary } from './judge.ts';
import type { Verdict } from './verdict.ts';

const POLICY: JudgePolicy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };
const INTERVALS = 10;

/** Requests and errors of both sides, spread over ten seconds as evenly as whole numbers can be. */
function inputs(canary: [number, number], baseline: [number, number], policy: Partial<JudgePolicy> = {}): JudgeInputs {
  const spread = (total: number, index: number) =>
    Number.isSafeInteger(total) && total > 0
      ? Math.floor((total * (index + 1)) / INTERVALS) - Math.floor((total * index) / INTERVALS)
      : total;
  const figures = ([requests, errors]: [number, number], index: number): IntervalFigures => ({
    requests: spread(requests, index),
    errors: spread(errors, index),
    seconds: 1,
    latencyMs: null,
  });
  const share = (100 * canary[0]) / (canary[0] + baseline[0]);
  return {
    policy: { ...POLICY, ...policy },
    canaryShare: share > 0 && share < 100 ? share : 10,
    windowSeconds: INTERVALS,
    intervals: Array.from({ length: INTERVALS }, (_, index) => ({
      canary: figures(canary, index),
      baseline: figures(baseline, index),
    })),
  };
}

/** The same, with other instances of the old revision. */
function beside(given: JudgeInputs, others: [number, number]): JudgeInputs {
  const { intervals } = inputs(others, others);
  return {
    ...given,
    intervals: given.intervals.map((interval, index) => ({
      ...interval,
      ...(intervals[index] && { others: intervals[index].canary }),
    })),
  };
}

function judge(canary: [number, number], baseline: [number, number], policy: Partial<JudgePolicy> = {}): Verdict {
  return judgeCanary(inputs(canary, baseline, policy));
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
    ['no error', [200, 0], [1800, 0], {}, 'pass', 'not-inferior'],
    ['as many as the old revision', [1000, 20], [9000, 180], {}, 'pass', 'not-inferior'],
    ['far fewer than the old revision', [1000, 0], [9000, 900], {}, 'pass', 'not-inferior'],
    [
      'more requests wanted than asked',
      [200, 0],
      [1800, 0],
      { minRequests: 201 },
      'inconclusive',
      'too-few-canary-requests',
    ],
    ['no error is allowed, one came', [500, 1], [4500, 9], { maxErrorPercent: 0 }, 'fail', 'error-share-over-limit'],
    ['no error is allowed, none came', [50, 0], [450, 0], { maxErrorPercent: 0 }, 'pass', 'not-inferior'],
    ['any share is allowed', [50, 50], [450, 450], { maxErrorPercent: 100 }, 'pass', 'not-inferior'],
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
    expect(judge([30, 0], [450, 0]).sentence).toBe(
      'the canary has answered 30 of the 50 requests a verdict needs; 20 more are needed, which take about 7 s at this rate, or less with more traffic',
    );
    expect(judge([0, 0], [450, 0])).toMatchObject({ canaryErrorPercent: null, comparison: { bayesFactor: null } });
  });

  it('says how many more requests would do, and is right', () => {
    const verdict = judge([60, 1], [540, 0]);
    const more = Number(/about (\d+) more/.exec(verdict.sentence)?.[1]);
    expect(judge([60 + more, 1], [540 + 9 * more, 0]).result).toBe('pass');
    const fewer = Math.floor(0.9 * more);
    expect(judge([60 + fewer, 1], [540 + 9 * fewer, 0]).result).toBe('inconclusive');
  });

  it('holds what the comparison rests on, up to where more is no more proof', () => {
    const { comparison } = judge([100, 2], [900, 0]);
    expect(comparison).toMatchObject({ against: 'baseline', freshWorseBayesFactor: null });
    expect(comparison?.bayesFactor).toBeGreaterThan(1);
    expect(comparison?.baselineBayesFactor).toBe(comparison?.bayesFactor);
    expect(judge([1e6, 1e6], [9e6, 0]).comparison?.bayesFactor).toBe(1e12);
  });

  it('gives a verdict that survives JSON for any figures, and never passes what has no data', () => {
    const figure = fc.oneof(fc.nat(1000), fc.constantFrom(-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e15));
    const window = fc.record({ requests: figure, errors: figure, seconds: fc.nat(100), latencyMs: fc.constant(null) });
    fc.assert(
      fc.property(window, window, fc.integer({ min: 0, max: 100 }), (canary, baseline, maxErrorPercent) => {
        const verdict = judgeCanary({
          policy: { ...POLICY, maxErrorPercent, maxErrorIncreasePercent: 5, maxSlowdownPercent: 20 },
          canaryShare: 10,
          windowSeconds: 1,
          intervals: [{ canary, baseline }],
        });
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
        // Else an interval may have more errors than requests.
        fc.pre(errors + INTERVALS < requests);
        const [now, worse] = [errors, errors + 1].map((count) =>
          judge([requests, count], [9 * requests, baselineErrors]),
        );
        if (now?.result === 'fail') expect(worse?.result).toBe('fail');
      }),
    );
  });
});

describe('judgeCanary, on what it is given', () => {
  const even = inputs([500, 1], [4500, 9]);

  it.each([
    ['as asked', 10, 'pass', 'not-inferior'],
    ['a little off', 11.5, 'pass', 'not-inferior'],
    ['the weight was not applied', 50, 'inconclusive', 'traffic-split-differs'],
    ['the canary got too much', 5, 'inconclusive', 'traffic-split-differs'],
  ])('compares only what got the traffic that was asked for: %s', (_, canaryShare, result, rule) => {
    expect(judgeCanary({ ...even, canaryShare })).toMatchObject({ result, rule });
  });

  it('says what the canary got', () => {
    expect(judgeCanary({ ...even, canaryShare: 50 })).toMatchObject({
      sentence: expect.stringContaining('the canary got 10 % of the requests and not the 50 %'),
      sentenceZh: expect.stringContaining('金丝雀得到 10 % 的请求，而不是要求的 50 %'),
    });
  });

  it.each([
    ['as asked', 10, 10, 'pass', 'not-inferior'],
    ['the canary got too little', 20, 10, 'inconclusive', 'traffic-split-differs'],
    ['the baseline got too much', 10, 5, 'inconclusive', 'traffic-split-differs'],
  ])('looks at the share of fresh instances, too: %s', (_, canaryShare, baselineShare, result, rule) => {
    const asked = beside(inputs([500, 1], [500, 1]), [4000, 8]);
    expect(judgeCanary({ ...asked, canaryShare, baselineShare })).toMatchObject({ result, rule });
  });

  it('says with whom the canary was compared, and what the others did', () => {
    const shares = { canaryShare: 10, baselineShare: 10 };
    expect(judgeCanary({ ...beside(inputs([500, 1], [500, 1]), [4000, 8]), ...shares })).toMatchObject({
      others: { requests: 4000, errors: 8, seconds: 10 },
      comparison: { against: 'baseline-and-others' },
      sentence:
        'the canary answered 1 of 500 requests with an error (0.2 %), ' +
        'fresh instances of the old revision answered 1 of 500 requests with an error (0.2 %), ' +
        'its others answered 8 of 4000 requests with an error (0.2 %); ' +
        'compared with all of them, since fresh ones do not err more than the others; up to 5 % are allowed',
      parameters: { baselineShare: 10, alphaWhereAlike: POLICY.alpha / 5, freshWorseFrom: 3 },
    });
    const cold = judgeCanary({ ...beside(inputs([500, 10], [500, 10]), [4000, 8]), ...shares });
    expect(cold).toMatchObject({ result: 'pass', comparison: { against: 'baseline-alone' } });
    expect(cold.sentence).toContain('compared with the fresh ones alone, since these err more than the others');
    expect(cold.sentenceZh).toContain('新实例的错误比其他实例多，只与新实例比较');
  });

  it('passes no increase that is excluded only against the ones that err more', () => {
    const allowed = { maxErrorPercent: 50, maxErrorIncreasePercent: 2 };
    const good = inputs([3000, 30], [3000, 30], allowed);
    expect(judgeCanary({ ...beside(good, [24_000, 240]), canaryShare: 10, baselineShare: 10 }).result).toBe('pass');
    const ill = beside(inputs([3000, 90], [3000, 0], allowed), [24_000, 2400]);
    expect(judgeCanary({ ...ill, canaryShare: 10, baselineShare: 10 }).result).not.toBe('pass');
  });

  it('holds when there are no figures of the others', () => {
    const asked = beside(inputs([500, 1], [500, 1]), [4000, 8]);
    const half = asked.intervals.slice(0, 6).map(({ others: _, ...rest }) => rest);
    const seen = { ...asked, canaryShare: 14, baselineShare: 14, intervals: [...half, ...asked.intervals.slice(6)] };
    expect(judgeCanary(seen)).toMatchObject({ result: 'inconclusive', rule: 'figures-missing' });
  });

  it('fails what is over a limit, whoever got which traffic', () => {
    expect(judgeCanary({ ...inputs([500, 100], [500, 1]), canaryShare: 5 }).rule).toBe('error-share-over-limit');
  });

  it('holds when figures are missing, however good the others are', () => {
    expect(judgeCanary({ ...even, windowSeconds: 13 }).result).toBe('pass');
    expect(judgeCanary({ ...even, windowSeconds: 30 })).toMatchObject({
      result: 'inconclusive',
      rule: 'figures-missing',
      sentence: 'there are figures of 10 s of the last 30 s only; nothing is decided on a part',
    });
  });

  it('passes only when an increase above the allowed one is excluded, and says how much is missing', () => {
    const held = judge([500, 1], [4500, 9], { maxErrorIncreasePercent: 0.5 });
    expect(held).toMatchObject({ result: 'inconclusive', rule: 'increase-not-excluded' });
    const more = Number(/about (\d+) more answers/.exec(held.sentence)?.[1]);
    expect(held.sentence).toContain(`take about ${Math.ceil((more * 10) / 500)} s at this rate`);
    const long = judge([500 + more, 1], [4500, 9], { maxErrorIncreasePercent: 0.5 });
    expect(long).toMatchObject({ result: 'pass', rule: 'not-inferior' });
    expect(long.errorIncrease?.high).toBeLessThanOrEqual(0.5);
  });

  it('does not take a burst for a difference', () => {
    const quiet: Interval = {
      canary: { requests: 50, errors: 0, seconds: 1, latencyMs: null },
      baseline: { requests: 450, errors: 0, seconds: 1, latencyMs: null },
    };
    const withErrors = (...seconds: number[]): JudgeInputs => ({
      ...inputs([500, 0], [4500, 0], { maxErrorPercent: 20 }),
      intervals: Array.from({ length: INTERVALS }, (_, index) =>
        seconds.includes(index) ? { ...quiet, canary: { ...quiet.canary, errors: 12 / seconds.length } } : quiet,
      ),
    });
    expect(judgeCanary(withErrors(4)).result).toBe('pass');
    expect(judgeCanary(withErrors(0, 2, 4, 5, 7, 9))).toMatchObject({
      result: 'fail',
      rule: 'more-errors-than-baseline',
    });
  });
});

describe('judgeCanary, watched', () => {
  const RUNS = 100;
  const equal = (share: number, errors: number, more: Partial<Arm> = {}) => ({
    canary: { requestsPerSecond: 300 * share, errors, ...more },
    baseline: { requestsPerSecond: 300 * (1 - share), errors, ...more },
  });
  const results = (run: number, arms: { canary: Arm; baseline: Arm }, policy: Partial<JudgePolicy>, most = 60) =>
    Array.from(
      looks(seeded(run + 1), { policy: { ...POLICY, ...policy }, ...arms, intervalSeconds: 1 }, most),
      (seen) => decide({ ...seen, intervals: [...seen.intervals] }).result,
    );
  const count = (holds: (run: number) => boolean) =>
    Array.from({ length: RUNS }, (_, run) => holds(run)).filter(Boolean).length;

  it.each([
    [0.01, 0.1, 0],
    [0.02, 0.5, 0],
    [0.02, 0.1, 1],
    [0.02, 0.5, 1],
  ])('raises false alarms no more often than alpha: errors %d, share %d, noise %d', (errors, share, errorNoise) => {
    // At most one of a hundred is promised; the bench counts 10,000 runs.
    const policy = { maxErrorPercent: 100, alpha: 0.01 };
    expect(
      count((run) => results(run, equal(share, errors, { errorNoise }), policy).includes('fail')),
    ).toBeLessThanOrEqual(1);
  });

  it('passes a canary at its limit no more often than promised', () => {
    const passed = count((run) => results(run, equal(0.1, 0.05), {}).includes('pass'));
    expect(passed / RUNS).toBeLessThanOrEqual(0.1);
  });

  it('passes a healthy canary', () => {
    expect(count((run) => results(run, equal(0.1, 0.001), {}, 10).at(-1) === 'pass')).toBeGreaterThanOrEqual(97);
  });

  it('finds 20 % errors in ten seconds', () => {
    const bad = { canary: { requestsPerSecond: 10, errors: 0.2 }, baseline: { requestsPerSecond: 90, errors: 0.001 } };
    expect(count((run) => results(run, bad, {}, 10).includes('fail'))).toBeGreaterThanOrEqual(97);
  });
});
