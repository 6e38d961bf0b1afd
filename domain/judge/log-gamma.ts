/** Coefficients B(2n) / (2n (2n - 1)) of Stirling's series, n = 1..8; NIST DLMF 5.11.1 and 24.2(iv). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156, -3617 / 122_400];

/** From here on eight terms of the series are exact to the last digits of a double. */
const SERIES_FROM = 12;

/**
 * Natural logarithm of the gamma function of x > 0, to about 15 significant digits: Stirling's series (NIST DLMF
 * 5.11.1), reached by the recurrence gamma(x + 1) = x gamma(x) (5.5.1). Source: https://dlmf.nist.gov/5.11
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma needs a number above 0, not ${x}`);
  let product = 1;
  let from = x;
  for (; from < SERIES_FROM; from++) product *= from;
  const inverseSquare = 1 / (from * from);
  const series = STIRLING.reduceRight((sum, coefficient) => sum * inverseSquare + coefficient, 0) / from;
  return (from - 0.5) * Math.log(from) - from + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** Natural logarithm of the beta function of a, b > 0; NIST DLMF 5.12.1. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}
