import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logBeta } from './log-beta.ts';
import { logShareEvidence, shareBounds, shownAbove, shownBelow } from './share-test.ts';

describe('logShareEvidence', () => {
  it('gives the published 1.2 for 115 successes of 200 against a uniform prior', () => {
    // The worked example of https://en.wikipedia.org/wiki/Bayes_factor: 0.005956 / 0.004975, in favour of 1/2.
    expect(Math.exp(-logShareEvidence(115, 85, 0.5, 2))).toBeCloseTo(0.00595589 / 0.00497512, 4);
  });

  it('is no evidence before the first event', () => {
    expect(logShareEvidence(0, 0, 0.1)).toBe(0);
  });

  it.each([0.001, 0.05, 0.1, 0.5, 0.9])('has expectation 1 under the hypothesis, share %d', (share) => {
    for (const events of [1, 7, 60]) {
      let expectation = 0;
      for (let here = 0; here <= events; here++) {
        const logChoose = -Math.log(events + 1) - logBeta(here + 1, events - here + 1);
        const logProbability = logChoose + here * Math.log(share) + (events - here) * Math.log(1 - share);
        expectation += Math.exp(logProbability + logShareEvidence(here, events - here, share));
      }
      expect(expectation).toBeCloseTo(1, 9);
    }
  });

  it('treats one event on an impossible side as proof', () => {
    expect(logShareEvidence(1, 5, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(logShareEvidence(5, 1, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(logShareEvidence(0, 5, 0)).toBe(0);
    expect(logShareEvidence(5, 0, 1)).toBe(0);
  });
});

describe('shownAbove and shownBelow', () => {
  const count = fc.integer({ min: 0, max: 2000 });
  const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });

  it('never say both', () => {
    fc.assert(
      fc.property(count, count, share, (here, elsewhere, expected) => {
        expect(shownAbove(here, elsewhere, expected, 0.5) && shownBelow(here, elsewhere, expected, 0.5)).toBe(false);
      }),
    );
  });

  // The guarantee for all smaller true shares rests on this.
  it('are not undone by one event more on the same side', () => {
    fc.assert(
      fc.property(count, count, share, (here, elsewhere, expected) => {
        if (shownAbove(here, elsewhere, expected, 0.05)) {
          expect(shownAbove(here + 1, Math.max(elsewhere - 1, 0), expected, 0.05)).toBe(true);
        }
        if (shownBelow(here, elsewhere, expected, 0.05)) {
          expect(shownBelow(Math.max(here - 1, 0), elsewhere + 1, expected, 0.05)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('shareBounds', () => {
  const count = fc.double({ min: 0.1, max: 5000, noNaN: true });

  it('are where the tests begin to refuse a share', () => {
    fc.assert(
      fc.property(count, count, (here, elsewhere) => {
        const { low, high } = shareBounds(here, elsewhere, 0.05);
        const seen = here / (here + elsewhere);
        expect(low).toBeLessThan(seen);
        expect(high).toBeGreaterThan(seen);
        // A share further out is refused too: the shares that are kept have no holes.
        for (const part of [0.999, 0.9, 0.5]) {
          expect(shownAbove(here, elsewhere, low * part, 0.05)).toBe(true);
          expect(shownBelow(here, elsewhere, 1 - (1 - high) * part, 0.05)).toBe(true);
        }
        expect(shownAbove(here, elsewhere, low + (seen - low) * 0.001, 0.05)).toBe(false);
        expect(shownBelow(here, elsewhere, high - (high - seen) * 0.001, 0.05)).toBe(false);
      }),
    );
  });

  it('bound nothing before the first event, and one side after events of one kind', () => {
    expect(shareBounds(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
    expect(shareBounds(0, 100, 0.05).low).toBe(0);
    expect(shareBounds(100, 0, 0.05).high).toBe(1);
  });
});
