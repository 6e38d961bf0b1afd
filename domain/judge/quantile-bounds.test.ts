import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../test/simulated-canary.ts';
import { quantileBounds, quantileRadius } from './quantile-bounds.ts';

describe('quantileRadius', () => {
  it.each([
    // 1.5 sqrt(p (1 - p) l) + 0.8 l, l = (1.4 ln ln(2.1 n) + ln(10 / alpha)) / n, worked out apart.
    [100, 0.5, 0.05, 0.268543],
    [10_000, 0.5, 0.05, 0.022567],
    [10_000, 0.99, 0.05, 0.005036],
  ])('of %d values at %d, alpha %d', (count, p, alpha, radius) => {
    expect(quantileRadius(count, p, alpha)).toBeCloseTo(radius, 6);
  });
});

describe('quantileBounds', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it('are the values at the ranks that the radius names', () => {
    const radius = quantileRadius(10_000, 0.5, 0.05);
    expect(quantileBounds(upTo(10_000), 0.5, 0.05)).toEqual({
      estimate: 5000,
      low: Math.floor(10_000 * (0.5 - radius)) + 1,
      high: Math.ceil(10_000 * (0.5 + radius)),
    });
  });

  it('are none where the sample does not reach', () => {
    expect(quantileBounds(upTo(100), 0.99, 0.05)).toMatchObject({ estimate: 99, high: null });
    expect(quantileBounds([7], 0.5, 0.05)).toEqual({ estimate: 7, low: null, high: null });
  });

  it('hold the true quantile at every look as often as promised, for a wild distribution too', () => {
    const alpha = 0.05;
    let left = 0;
    const runs = 200;
    for (let run = 0; run < runs; run++) {
      const random = seeded(run + 1);
      const values: number[] = [];
      let outside = false;
      for (let look = 0; look < 40 && !outside; look++) {
        // Cauchy: it has no mean.
        for (let n = 0; n < 25; n++) values.push(Math.tan(Math.PI * (random.uniform() - 0.5)));
        const { low, high } = quantileBounds(
          values.toSorted((a, b) => a - b),
          0.5,
          alpha,
        );
        outside = (low ?? Number.NEGATIVE_INFINITY) > 0 || (high ?? Number.POSITIVE_INFINITY) < 0;
      }
      if (outside) left++;
    }
    expect(left / runs).toBeLessThanOrEqual(alpha);
  });
});
