import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../test/simulated-canary.ts';
import type { JudgePolicy } from '../manifest.ts';
import type { JudgeInputs } from './inputs.ts';
import { judgeCanary } from './judge.ts';

const POLICY: JudgePolicy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };

/** A canary without errors whose times are these, against an old revision with those. */
function inputs(
  canary: readonly (number | null)[],
  baseline: readonly (number | null)[],
  policy: Partial<JudgePolicy> = {},
): JudgeInputs {
  return {
    policy: { ...POLICY, ...policy },
    canaryShare: 10,
    windowSeconds: canary.length,
    intervals: canary.map((latencyMs, index) => ({
      canary: { requests: 100, errors: 0, seconds: 1, latencyMs },
      baseline: { requests: 900, errors: 0, seconds: 1, latencyMs: baseline[index] ?? null },
    })),
  };
}

const noisy = (seed: number, count: number, ms: number) => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => ms * Math.exp(0.25 * random.normal()));
};
const repeat = (count: number, ms: number | null) => Array.from({ length: count }, () => ms);

describe('how slowly a canary answers', () => {
  const allowed = { maxSlowdownPercent: 20 };

  it.each([
    ['as fast', noisy(1, 60, 50), noisy(2, 60, 50), 'pass', 'not-inferior'],
    ['faster', noisy(1, 20, 25), noisy(2, 20, 50), 'pass', 'not-inferior'],
    ['half as slow again', noisy(1, 20, 75), noisy(2, 20, 50), 'fail', 'slower-than-baseline'],
    ['slower for certain, but allowed', noisy(1, 1500, 57), noisy(2, 1500, 50), 'pass', 'not-inferior'],
    ['as fast, but who knows', noisy(1, 6, 50), noisy(2, 6, 50), 'inconclusive', 'slowdown-not-excluded'],
    ['four figures', noisy(1, 4, 500), noisy(2, 4, 50), 'inconclusive', 'too-few-latency-figures'],
    ['no figures', repeat(10, null), repeat(10, null), 'inconclusive', 'too-few-latency-figures'],
    ['figures of the canary alone', noisy(1, 10, 50), repeat(10, null), 'inconclusive', 'too-few-latency-figures'],
    // Milliseconds that are rounded to 1 and 2 may be 1.4 and 1.6.
    ['1 ms against 2 ms, five times', repeat(5, 2), repeat(5, 1), 'inconclusive', 'slowdown-not-excluded'],
    ['a figure that is none', [Number.NaN, ...noisy(1, 9, 50)], noisy(2, 10, 50), 'inconclusive', 'figures-contradict'],
  ])('%s', (_, canary, baseline, result, rule) => {
    expect(judgeCanary(inputs(canary, baseline, allowed))).toMatchObject({ result, rule });
  });

  it('is told and not judged without a limit', () => {
    const verdict = judgeCanary(inputs(noisy(1, 20, 100), noisy(2, 20, 50)));
    expect(verdict).toMatchObject({ result: 'pass', rule: 'not-inferior' });
    expect(verdict.slowdown?.value).toBeGreaterThan(70);
    expect(verdict.slowdown?.low).toBeGreaterThan(20);
  });

  it('finds seven of ten figures that are a hundred times worse', () => {
    const worse = [100, 1, 100, 100, 100, 1, 100, 100, 1, 100];
    expect(judgeCanary(inputs(worse, repeat(10, 1), allowed))).toMatchObject({
      result: 'fail',
      rule: 'slower-than-baseline',
    });
  });

  it('says how long it takes to know, and is about right', () => {
    const short = judgeCanary(inputs(noisy(1, 10, 50), noisy(2, 10, 50), allowed));
    const seconds = Number(/about (\d+) s more/.exec(short.sentence)?.[1]);
    expect(short.sentenceZh).toContain(`再约 ${seconds} 秒`);
    const long = judgeCanary(inputs(noisy(1, 10 + 2 * seconds, 50), noisy(2, 10 + 2 * seconds, 50), allowed));
    expect(long.result).toBe('pass');
  });

  it('counts no request in two figures', () => {
    const drifting = inputs(noisy(1, 40, 100), noisy(2, 40, 50), allowed);
    expect(judgeCanary({ ...drifting, latencyMemory: { canary: 100, baseline: 900 } }).rule).toBe(
      'slower-than-baseline',
    );
    // Ten of the canary's intervals have as many requests as a figure remembers: four figures.
    expect(judgeCanary({ ...drifting, latencyMemory: { canary: 1000, baseline: 900 } })).toMatchObject({
      rule: 'too-few-latency-figures',
      sentence: expect.stringContaining('about 10 s more'),
    });
  });
});

describe('times of single answers', () => {
  const quiet = inputs(repeat(60, null), repeat(60, null));
  const timed = (
    canary: readonly number[],
    baseline: readonly number[],
    policy: Partial<JudgePolicy>,
  ): JudgeInputs => ({
    ...quiet,
    policy: { ...POLICY, ...policy },
    timings: { canary, baseline },
  });

  it.each([
    ['within the limit', noisy(1, 5000, 50), 300, 'pass', 'not-inferior'],
    ['over it', noisy(1, 5000, 200), 300, 'fail', 'p99-over-limit'],
    ['too few to know', noisy(1, 500, 50), 300, 'inconclusive', 'p99-not-shown'],
    ['none', [], 300, 'inconclusive', 'no-timings'],
  ])('hold the slowest to a limit: %s', (_, canary, maxP99Ms, result, rule) => {
    expect(judgeCanary(timed(canary, noisy(2, 5000, 50), { maxP99Ms }))).toMatchObject({ result, rule });
  });

  it('say so when nobody takes them', () => {
    expect(judgeCanary({ ...quiet, policy: { ...POLICY, maxP99Ms: 300 } }).rule).toBe('no-timings');
  });

  it('find a wider spread that means do not show', () => {
    const slowOnes = noisy(1, 5000, 50).map((ms, index) => (index % 20 === 0 ? 40 * ms : ms));
    const verdict = judgeCanary(timed(slowOnes, noisy(2, 5000, 50), { maxSlowdownPercent: 20 }));
    expect(verdict).toMatchObject({ result: 'fail', rule: 'slower-quantile-than-baseline' });
    expect(verdict.sentence).toContain("99 % of the canary's answers take up to");
    expect(verdict.p99?.low).toBeGreaterThan(1000);
  });

  it('are refused when they are none', () => {
    expect(judgeCanary(timed([-1], [1], { maxP99Ms: 300 })).rule).toBe('figures-contradict');
  });
});
