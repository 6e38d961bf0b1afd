/** Coefficients B(2n) / (2n (2n - 1)) of Stirling's series, n = 1..8; NIST DLMF 5.11.1 and 24.2(iv). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156, -3617 / 122_400];

/** From here on eight terms of the series are exact to the last digits of a double. */
const SERIES_FROM = 12;

/**
 * Natural logarithm of the gamma function of x > 0, to about 14 significant digits: Stirling's series (NIST DLMF
 * 5.11.1), reached by the recurrence gamma(x + 1) = x gamma(x) (5.5.1). Source: https://dlmf.nist.gov/5.11
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma needs a number above 0, not ${x}`);
  let product = 1;
  let from = x;
  for (; from < SERIES_FROM; from++) product *= from;
  return (from - 0.5) * Math.log(from) - from + 0.5 * Math.log(2 * Math.PI) + series(from) - Math.log(product);
}

/**
 * Natural logarithm of the beta function of a, b > 0; NIST DLMF 5.12.1. Where one of them is large, the difference of
 * two logarithms of gamma is taken term by term from Stirling's series, so that nothing cancels.
 */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  if (large < SERIES_FROM) return logGamma(small) + logGamma(large) - logGamma(small + large);
  const sum = small + large;
  const difference =
    -(large - 0.5) * Math.log1p(small / large) - small * Math.log(sum) + small + series(large) - series(sum);
  return logGamma(small) + difference;
}

/** What Stirling's series adds to (x - 1/2) ln x - x + ln(2 pi) / 2. */
function series(x: number): number {
  const inverseSquare = 1 / (x * x);
  return STIRLING.reduceRight((sum, coefficient) => sum * inverseSquare + coefficient, 0) / x;
}
