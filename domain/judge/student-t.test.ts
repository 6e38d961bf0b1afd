import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { incompleteBeta, studentBelow } from './student-t.ts';

describe('studentBelow', () => {
  it.each([
    // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values of Student's t.
    [6.314, 1, 0.95],
    [2.228, 10, 0.975],
    [2.764, 10, 0.99],
    [4.144, 10, 0.999],
    [2.0, 60, 0.975],
    [1.66, 100, 0.95],
  ])('gives the critical value %d of %d degrees of freedom its chance', (t, degrees, chance) => {
    expect(studentBelow(t, degrees)).toBeCloseTo(chance, 4);
    expect(studentBelow(-t, degrees)).toBeCloseTo(1 - chance, 4);
  });

  it('is the arcus tangent for one degree, and algebraic for two', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        expect(studentBelow(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 13);
        expect(studentBelow(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 13);
      }),
    );
  });

  it('has its ends', () => {
    expect([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY].map((t) => studentBelow(t, 3))).toEqual([0, 0.5, 1]);
  });
});

describe('incompleteBeta', () => {
  it('adds up to the tail of a binomial distribution (NIST DLMF 8.17.5)', () => {
    // At least 3 of 10 at 0.2 each: 1 - (0.8^10 + 10 x 0.2 x 0.8^9 + 45 x 0.04 x 0.8^8).
    const below = 0.8 ** 10 + 10 * 0.2 * 0.8 ** 9 + 45 * 0.04 * 0.8 ** 8;
    expect(incompleteBeta(3, 8, 0.2)).toBeCloseTo(1 - below, 14);
  });

  it('is 0 and 1 at its ends', () => {
    expect([incompleteBeta(2, 3, 0), incompleteBeta(2, 3, 1)]).toEqual([0, 1]);
  });
});
