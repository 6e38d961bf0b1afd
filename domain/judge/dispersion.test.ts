import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { effectiveSplit, SEEN_NOISE, type Split, UNKNOWN_NOISE } from './dispersion.ts';

const split = (here: number, total: number, share = 0.5): Split => ({ here, total, share });

describe('effectiveSplit', () => {
  it('is the sum where the split is as even as chance makes it', () => {
    const even = [split(5, 10), split(4, 10), split(6, 10), split(5, 10)];
    expect(effectiveSplit(even, SEEN_NOISE)).toEqual({ here: 20, elsewhere: 20, share: 0.5, dispersion: 1 });
  });

  it('weighs bursts as few events', () => {
    // Each interval is one coin: ten events that always go together are worth one.
    const bursts = [split(10, 10), split(0, 10), split(10, 10), split(0, 10)];
    expect(effectiveSplit(bursts, SEEN_NOISE)).toEqual({ here: 2, elsewhere: 2, share: 0.5, dispersion: 10 });
  });

  it('gives the textbook chi-square over its degrees of freedom', () => {
    // Chi-square of 7, 3 and 5 of 10 each at one half: (4 + 4 + 0) / 2.5 = 3.2 on 2 degrees: 1 + 9 rho = 1.6.
    const { dispersion } = effectiveSplit([split(7, 10), split(3, 10), split(5, 10)], SEEN_NOISE);
    expect(dispersion).toBeCloseTo(1.6, 12);
  });

  it('does not take a steady difference for noise', () => {
    const worse = Array.from({ length: 8 }, () => split(9, 10, 0.1));
    expect(effectiveSplit(worse, SEEN_NOISE).dispersion).toBe(1);
  });

  it('does not take what hits both sides for noise', () => {
    const outage = [split(1, 2), split(100, 200), split(1, 2), split(0, 0)];
    expect(effectiveSplit(outage, SEEN_NOISE).dispersion).toBe(1);
  });

  it('expects of each interval the share that it has', () => {
    const moving = [split(1, 10, 0.1), split(5, 10, 0.5), split(9, 10, 0.9)];
    expect(effectiveSplit(moving, SEEN_NOISE)).toMatchObject({ here: 15, share: 0.5, dispersion: 1 });
  });

  it('believes in noise until it has seen that there is none, but never of single events', () => {
    expect(effectiveSplit([split(5, 10)], UNKNOWN_NOISE).dispersion).toBe(1 + 9 * 0.5);
    const long = Array.from({ length: 90 }, (_, index) => split(index % 2 === 0 ? 4 : 6, 10));
    expect(effectiveSplit(long, UNKNOWN_NOISE).dispersion).toBeCloseTo(1 + 9 * 0.05, 12);
    expect(effectiveSplit([split(1, 1), split(1, 1), split(0, 1)], UNKNOWN_NOISE).dispersion).toBe(1);
  });

  it('never makes more of events than they are', () => {
    const splits = fc.array(
      fc
        .tuple(fc.nat(50), fc.nat(50), fc.constantFrom(0, 1e-9, 0.001, 0.3, 0.5, 0.999, 1))
        .map(([here, rest, share]) => split(here, here + rest, share)),
    );
    fc.assert(
      fc.property(splits, fc.constantFrom(SEEN_NOISE, UNKNOWN_NOISE), (intervals, prior) => {
        const { here, elsewhere, share, dispersion } = effectiveSplit(intervals, prior);
        const total = intervals.reduce((sum, interval) => sum + interval.total, 0);
        expect(dispersion).toBeGreaterThanOrEqual(1);
        expect((here + elsewhere) * dispersion).toBeCloseTo(total, 6);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});
