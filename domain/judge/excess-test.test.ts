import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SEEN_NOISE, type Split, UNKNOWN_NOISE } from './dispersion.ts';
import { logExcessEvidence, logMean } from './excess-test.ts';

const split = (here: number, total: number, share: number): Split => ({ here, total, share });
const evidence = (here: number, total: number, share: number) =>
  Math.exp(logExcessEvidence([split(here, total, share)], SEEN_NOISE));

/** Chances of so many events here out of so many, each here with probability `share`. */
function binomial(events: number, share: number): number[] {
  let chances = [1];
  for (let event = 0; event < events; event++) {
    chances = Array.from(
      { length: chances.length + 1 },
      (_, here) => (chances[here] ?? 0) * (1 - share) + (chances[here - 1] ?? 0) * share,
    );
  }
  return chances;
}

describe('logExcessEvidence', () => {
  it('is the mean of the likelihood ratios, each of so many times the odds', () => {
    // At one half the odds are 1, so t times as many are a share of t / (1 + t): three of four events here.
    const ratio = (times: number) => (times / (1 + times)) ** 3 / (1 + times) / 0.5 ** 4;
    const mean =
      0.01 * ratio(1.2) +
      0.02 * ratio(1.5) +
      0.07 * ratio(2.5) +
      0.2 * ratio(5) +
      0.4 * ratio(10) +
      0.2 * ratio(20) +
      0.1 * ratio(50);
    expect(evidence(3, 4, 0.5)).toBeCloseTo(mean, 12);
    const apart = [split(1, 1, 0.5), split(0, 0, 0.9), split(2, 3, 0.5)];
    expect(Math.exp(logExcessEvidence(apart, SEEN_NOISE))).toBeCloseTo(mean, 12);
  });

  it.each([0.001, 0.05, 0.5, 0.9])('has expectation 1 at its share and less below, share %d', (share) => {
    for (const events of [1, 7, 40]) {
      const expectation = (truth: number) =>
        binomial(events, truth).reduce((sum, chance, here) => sum + chance * evidence(here, events, share), 0);
      expect(expectation(share)).toBeCloseTo(1, 9);
      expect(expectation(0.9 * share)).toBeLessThan(1);
      expect(expectation(0.1 * share)).toBeLessThan(1);
    }
  });

  it.each([
    [0.05, 0.5],
    [0.01, 0.5],
    [0.05, 0.05],
    [0.01, 0.05],
  ])('ever reaches 1/%d in 400 events with no greater chance, exactly, share %d', (alpha, share) => {
    let reached = 0;
    let quiet = [1];
    for (let event = 1; event <= 400; event++) {
      const next = Array.from(
        { length: event + 1 },
        (_, here) => (quiet[here] ?? 0) * (1 - share) + (quiet[here - 1] ?? 0) * share,
      );
      quiet = next.map((chance, here) => {
        if (chance === 0 || evidence(here, event, share) < 1 / alpha) return chance;
        reached += chance;
        return 0;
      });
    }
    expect(reached).toBeLessThanOrEqual(alpha);
    expect(reached).toBeGreaterThan(alpha / 4);
  });

  it('grows with each event here and shrinks with each elsewhere', () => {
    const count = fc.integer({ min: 0, max: 2000 });
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(count, count, share, (here, elsewhere, expected) => {
        const now = logExcessEvidence([split(here, here + elsewhere, expected)], SEEN_NOISE);
        const one = here + elsewhere + 1;
        expect(logExcessEvidence([split(here + 1, one, expected)], SEEN_NOISE)).toBeGreaterThan(now);
        expect(logExcessEvidence([split(here, one, expected)], SEEN_NOISE)).toBeLessThan(now);
      }),
    );
  });

  it('weighs a burst as few events', () => {
    const spread = Array.from({ length: 12 }, () => split(1, 1, 0.5));
    expect(logExcessEvidence(spread, UNKNOWN_NOISE)).toBeGreaterThan(Math.log(100));
    expect(logExcessEvidence([split(12, 12, 0.5)], UNKNOWN_NOISE)).toBeLessThan(Math.log(3));
  });

  it.each([
    ['nothing happened', [], 0],
    ['no event', [split(0, 0, 0.5)], 0],
    ['an event where none can be', [split(1, 5, 0)], Number.POSITIVE_INFINITY],
    ['no event where none can be', [split(0, 5, 0)], 0],
    ['all events where all must be', [split(5, 5, 1)], 0],
  ])('is of %s', (_, splits, logarithm) => {
    expect(logExcessEvidence(splits, SEEN_NOISE)).toBeCloseTo(logarithm, 12);
  });
});

describe('logMean', () => {
  it('does not lose what is too large for a number', () => {
    const mean = logMean([
      { logarithm: 1000, weight: 0.25 },
      { logarithm: 1000, weight: 0.25 },
      { logarithm: -1000, weight: 0.5 },
    ]);
    expect(mean).toBeCloseTo(1000 + Math.log(0.5), 9);
  });
});
