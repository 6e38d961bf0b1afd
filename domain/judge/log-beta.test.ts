import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logBeta, logGamma } from './log-beta.ts';

describe('logGamma', () => {
  it.each([
    // Values of NIST DLMF 5.4 (halves and whole numbers) and OEIS A073005 (gamma of 1/3), A068466 (of 1/4).
    [0.5, 0.5 * Math.log(Math.PI)],
    [1.5, Math.log(Math.sqrt(Math.PI) / 2)],
    [1 / 3, Math.log(2.6789385347077475)],
    [1 / 4, Math.log(3.625609908221908)],
    [1, 0],
    [2, 0],
    [5, Math.log(24)],
    [10, Math.log(362_880)],
    [100, 359.1342053695754],
    [101, 363.7393755555635],
  ])('of %d', (x, value) => {
    expect(Math.abs(logGamma(x) - value)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(value)));
  });

  it('holds the recurrence gamma(x + 1) = x gamma(x) over the whole range of counts', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (x) => {
        const [here, next] = [logGamma(x), logGamma(x + 1)];
        expect(Math.abs(next - here - Math.log(x))).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(next)));
      }),
    );
  });

  it.each([0, -1, Number.NaN])('refuses %d', (x) => {
    expect(() => logGamma(x)).toThrow(RangeError);
  });
});

describe('logBeta', () => {
  it.each([
    [1, 1, 0],
    [2, 3, Math.log(1 / 12)],
    [0.5, 0.5, Math.log(Math.PI)],
    [1, 100, -Math.log(100)],
  ])('of %d and %d', (a, b, value) => {
    expect(logBeta(a, b)).toBeCloseTo(value, 12);
  });

  it.each([
    // As @stdlib/math-base-special-betaln 0.3.1 gives them, a port of Didonato and Morris, Algorithm 708 (ACM TOMS, 1992).
    [0.1, 9.9, 2.028065075872616],
    [37, 5000.25, -219.55117392423693],
    [0.15, 874_677, -0.22442764405100032],
    [2.5, 1e6, -34.254095399436515],
    [1000.5, 1e6, -7914.243970686238],
  ])('of %d and %d, where logarithms of gamma would cancel', (a, b, value) => {
    expect(Math.abs(logBeta(a, b) - value)).toBeLessThanOrEqual(2e-14 * Math.max(1, Math.abs(value)));
    expect(logBeta(b, a)).toBe(logBeta(a, b));
  });
});
