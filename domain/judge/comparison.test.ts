import { describe, expect, it } from '@jest/globals';
import { looks, seeded } from '../../test/simulated-canary.ts';
import { compareErrors, errsMore, FRESH_WORSE_FROM, told } from './comparison.ts';
import type { Interval, IntervalFigures } from './inputs.ts';
import { decide } from './judge.ts';

type Counts = readonly [requests: number, errors: number];

const SECONDS = 200;

/** Requests and errors of each side, the errors one a second from the first on. */
function counted(canary: Counts, baseline: Counts, others?: Counts): Interval[] {
  const figures = ([requests, errors]: Counts, second: number): IntervalFigures => ({
    requests: requests / SECONDS,
    errors: second < errors ? 1 : 0,
    seconds: 1,
    latencyMs: null,
  });
  return Array.from({ length: SECONDS }, (_, second) => ({
    canary: figures(canary, second),
    // Never in the same second as the canary's, so that no noise is supposed.
    baseline: figures(baseline, SECONDS - 1 - second),
    ...(others && { others: figures(others, (second + SECONDS / 2) % SECONDS) }),
  }));
}

describe('compareErrors', () => {
  const old: Counts = [2000, 2];
  it.each<[string, Counts, Counts, Counts | undefined, string, boolean]>([
    ['ten times worse than all', [2000, 20], old, [36_000, 36], 'baseline-and-others', true],
    ['ten times worse, there are no others', [2000, 20], old, undefined, 'baseline', true],
    ['like all others', [2000, 2], old, [36_000, 36], 'baseline-and-others', false],
    [
      'fresh ones err ten times more, so does the canary',
      [2000, 20],
      [2000, 20],
      [36_000, 36],
      'baseline-alone',
      false,
    ],
    ['fresh ones err, the canary far more', [2000, 100], [2000, 20], [36_000, 36], 'baseline-alone', true],
    ['the others are ill, the canary like them', [2000, 40], old, [36_000, 199], 'baseline-and-others', true],
    ['the others err more, and the canary less', [2000, 1], old, [36_000, 150], 'baseline-and-others', false],
    [
      'worse than the others, but not than fresh ones that are somewhat unlucky',
      [2000, 9],
      [2000, 4],
      [36_000, 36],
      'baseline-and-others',
      false,
    ],
    ['worse than fresh ones, but those were lucky', [2000, 5], [2000, 0], [36_000, 40], 'baseline-and-others', false],
  ])('%s', (_, canary, baseline, others, against, more) => {
    const comparison = compareErrors(counted(canary, baseline, others));
    expect({ against: comparison.against, more: errsMore(comparison, 0.05) }).toEqual({ against, more });
  });

  it('needs both: what is fair whatever fresh instances do, and what all of the old revision says', () => {
    const of = (baseline: number, together: number) =>
      errsMore(
        {
          against: 'baseline-and-others',
          baseline: Math.log(baseline),
          oldRevision: 0,
          together: Math.log(together),
          freshWorse: 0,
        },
        0.05,
      );
    expect([of(21, 101), of(19, 1e6), of(99, 99)]).toEqual([true, false, false]);
  });

  it('tells the evidence of each, and none where there were no errors', () => {
    const intervals = counted([2000, 20], [2000, 2], [36_000, 36]);
    const comparison = compareErrors(intervals);
    const { against, bayesFactor, baselineBayesFactor, freshWorseBayesFactor } = told(comparison, intervals);
    expect(against).toBe('baseline-and-others');
    expect(baselineBayesFactor).toBeCloseTo(Math.exp(comparison.baseline), 9);
    expect(bayesFactor).toBeCloseTo(
      Math.min((Math.exp(comparison.baseline) + Math.exp(comparison.oldRevision)) / 2, 1e12),
      3,
    );
    expect(freshWorseBayesFactor).toBeLessThan(FRESH_WORSE_FROM);
    const none = counted([2000, 0], [2000, 0], [36_000, 36]);
    expect(told(compareErrors(none), none)).toMatchObject({
      baselineBayesFactor: null,
      bayesFactor: expect.any(Number),
    });
    const quiet = counted([2000, 0], [2000, 0]);
    expect(told(compareErrors(quiet), quiet)).toEqual({
      ...{ against: 'baseline', bayesFactor: null, baselineBayesFactor: null, freshWorseBayesFactor: null },
    });
  });
});

describe('a canary with 5 % of 200 requests a second, as much to a fresh baseline, the rest to the old instances', () => {
  const RUNS = 60;
  const policy = { maxErrorPercent: 100, minRequests: 50, alpha: 0.05 };
  const firstFail = (run: number, errors: readonly [number, number, number], most: number) => {
    const [canary, baseline, others] = errors;
    const simulated = {
      policy,
      canary: { requestsPerSecond: 10, errors: canary },
      baseline: { requestsPerSecond: 10, errors: baseline },
      others: { requestsPerSecond: 180, errors: others },
      intervalSeconds: 1,
    };
    let look = 0;
    for (const inputs of looks(seeded(run + 1), simulated, most)) {
      look++;
      if (decide(inputs).result === 'fail') return look;
    }
    return Number.POSITIVE_INFINITY;
  };
  const runs = Array.from({ length: RUNS }, (_, run) => run);

  it('is caught with ten times the errors, in half of the cases within 100 s', () => {
    // The bench measures the median on a thousand runs: below 80 s.
    const caught = runs.filter((run) => firstFail(run, [0.01, 0.001, 0.001], 100) <= 100);
    expect(caught.length).toBeGreaterThanOrEqual(RUNS / 2);
  });

  it('is seldom failed for errors that fresh instances of the old revision have as well', () => {
    const failed = runs.filter((run) => firstFail(run, [0.02, 0.02, 0.002], 60) <= 60);
    expect(failed.length).toBeLessThanOrEqual(3);
  });
});
