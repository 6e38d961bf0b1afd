/** A quantile of measured times with its bounds; null where the times don't bound it yet. */
export interface QuantileBounds {
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Bounds of a quantile whatever the distribution is, valid at all sizes of the sample at once: with a chance of at least
 * 1 - alpha the true quantile is never outside. Source: Howard and Ramdas, "Sequential estimation of quantiles with
 * applications to A/B testing and best-arm identification" (Bernoulli 28, 2022; arXiv 1906.09712), theorem 1 with the
 * explicit radius that follows it,
 *
 *   f_t(p) = 1.5 sqrt(p (1 - p) l_t) + 0.8 l_t,  l_t = (1.4 ln ln(2.1 t) + ln(10 / alpha)) / t.
 *
 * @param sorted times in ascending order, at least one, of requests that do not depend on each other
 * @param p which quantile, such as 0.99
 */
export function quantileBounds(sorted: readonly number[], p: number, alpha: number): QuantileBounds {
  const count = sorted.length;
  const radius = quantileRadius(count, p, alpha);
  return {
    estimate: at(sorted, Math.ceil(count * p)) ?? Number.NaN,
    low: at(sorted, Math.floor(count * (p - radius)) + 1),
    high: at(sorted, Math.ceil(count * (p + radius))),
  };
}

/** How far, in shares of the sample, the bounds of a quantile are from it. */
export function quantileRadius(count: number, p: number, alpha: number): number {
  const l = (1.4 * Math.log(Math.log(2.1 * count)) + Math.log(10 / alpha)) / count;
  return 1.5 * Math.sqrt(p * (1 - p) * l) + 0.8 * l;
}

/** The value of a rank that counts from 1; null outside of the sample. */
function at(sorted: readonly number[], rank: number): number | null {
  return sorted[rank - 1] ?? null;
}
