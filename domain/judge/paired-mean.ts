import { studentBelow } from './student-t.ts';

/**
 * Weight of the prior on the effect: the alternative expects a mean about so many standard deviations of one difference,
 * squared, away. With 2 a canary that is slow in seven of ten intervals is found at the tenth.
 */
const PRIOR_EFFECT = 2;

/** Autocorrelation above this leaves too little to judge by. */
const MOST_CORRELATION = 0.95;

/** Steps of halving after which a bound of a mean is exact to the last digits. */
const HALVINGS = 60;

/** What the differences of paired intervals say of their mean. */
export interface PairedMean {
  /** Differences there are. */
  readonly count: number;
  /** How many independent ones they are worth: neighbours that resemble each other tell less. */
  readonly effective: number;
  readonly mean: number;
  /** Standard deviation of one difference. */
  readonly deviation: number;
}

/**
 * Sums up differences in the order of time.
 *
 * @param resolution variance that each has because what it was made of was rounded; unseen where all were rounded alike
 */
export function pairedMean(differences: readonly number[], resolution = 0): PairedMean {
  const count = differences.length;
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / Math.max(count, 1);
  const squares = differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0);
  const deviation = count > 1 ? Math.sqrt(squares / (count - 1) + resolution) : 0;
  const correlation = autocorrelation(differences, mean, squares);
  return { count, effective: (count * (1 - correlation)) / (1 + correlation), mean, deviation };
}

/**
 * Correlation of neighbours; 0 where it is no larger than chance makes it. The estimate is too small in short series; it
 * is corrected by its bias of -(1 + 3 rho) / n (Kendall, "Note on bias in the estimation of autocorrelation", Biometrika
 * 41, 1954). A mean of n values of a first-order autoregression is worth n (1 - rho) / (1 + rho) independent ones (Bayley
 * and Hammersley, "The effective number of independent observations in an autocorrelated time series", 1946).
 */
function autocorrelation(differences: readonly number[], mean: number, squares: number): number {
  const count = differences.length;
  if (count < 3 || squares === 0) return 0;
  let products = 0;
  for (let index = 1; index < count; index++) {
    products += ((differences[index] ?? 0) - mean) * ((differences[index - 1] ?? 0) - mean);
  }
  const seen = products / squares;
  if (seen <= 1 / Math.sqrt(count)) return 0;
  return Math.min(seen + (1 + 3 * seen) / count, MOST_CORRELATION);
}

/**
 * Logarithm of the Bayes factor against "the mean is `expected`", whatever the standard deviation is: the mixture SPRT
 * over means that are normal around `expected`, in units of the noise, whose own unknown scale is integrated out,
 *
 *   -1/2 ln(1 + n g) + n/2 [ln(1 + t^2 / v) - ln(1 + t^2 / (v (1 + n g)))],  v = n - 1.
 *
 * Scaled data give the same value, so it is a martingale under every standard deviation and may be looked at at any time
 * (Ville). Sources: Gonen, Johnson, Lu and Westfall, "The Bayesian two-sample t test" (The American Statistician 59,
 * 2005), for one sample; Johari, Koomen, Pekelis and Walsh, "Always Valid Inference" (Operations Research 70, 2022) for
 * the mixture SPRT; Perez-Ortiz, Lardy, de Heide and Grunwald, "E-statistics, group invariance and anytime-valid testing"
 * (Annals of Statistics 52, 2024) for its validity with an unknown scale.
 */
export function logMeanEvidence(paired: PairedMean, expected: number, priorEffect = PRIOR_EFFECT): number {
  const { effective: n, mean, deviation } = paired;
  if (!(n > 1) || mean === expected) return 0;
  if (deviation === 0) return Number.POSITIVE_INFINITY;
  const spread = 1 + n * priorEffect;
  const square = squareOverDegrees(paired, expected);
  return -0.5 * Math.log(spread) + (n / 2) * (Math.log1p(square) - Math.log1p(square / spread));
}

/**
 * The same against "the mean is at most `expected`": the half of the mixture whose means are above, twice. Its part of
 * the whole is the chance, after the data, that the mean is above; that is Student's t with n degrees of freedom
 * (conjugacy of the normal and the inverse gamma distribution).
 */
export function logEvidenceAbove(paired: PairedMean, expected: number, priorEffect = PRIOR_EFFECT): number {
  const { effective: n, mean, deviation } = paired;
  if (!(n > 1)) return 0;
  if (deviation === 0) return mean > expected ? Number.POSITIVE_INFINITY : 0;
  const spread = 1 + n * priorEffect;
  const square = squareOverDegrees(paired, expected);
  // Location over scale of the mean after the data; both are in units of the noise.
  const distance = Math.sign(mean - expected) * Math.sqrt((n * priorEffect * square) / (1 + square / spread));
  const above = studentBelow(distance, n);
  return logMeanEvidence(paired, expected, priorEffect) + Math.log(2 * above);
}

/** The same against "the mean is at least `expected`". */
export function logEvidenceBelow(paired: PairedMean, expected: number, priorEffect = PRIOR_EFFECT): number {
  return logEvidenceAbove({ ...paired, mean: -paired.mean }, -expected, priorEffect);
}

/**
 * A bound that the true mean is below, at any time, with a chance of at most `alpha`: the lowest mean that the evidence
 * does not refuse. Null while nothing bounds it.
 */
export function lowerBound(paired: PairedMean, alpha: number, priorEffect = PRIOR_EFFECT): number | null {
  const { effective: n, mean, deviation } = paired;
  if (!(n > 1)) return null;
  if (deviation === 0) return mean;
  const refused = (expected: number) => logEvidenceAbove(paired, expected, priorEffect) >= -Math.log(alpha);
  let reach = deviation;
  while (!refused(mean - reach)) {
    reach *= 2;
    // However far away a mean is, so few differences never refuse it.
    if (reach > 1e6 * deviation) return null;
  }
  let [inside, outside] = [mean, mean - reach];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (inside + outside) / 2;
    if (refused(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}

/** A bound that the true mean is above, at any time, with a chance of at most `alpha`; null while nothing bounds it. */
export function upperBound(paired: PairedMean, alpha: number, priorEffect = PRIOR_EFFECT): number | null {
  const low = lowerBound({ ...paired, mean: -paired.mean }, alpha, priorEffect);
  return low === null ? null : -low;
}

/** t^2 / v with v = n - 1, the deviation above 0. */
function squareOverDegrees({ effective: n, mean, deviation }: PairedMean, expected: number): number {
  return ((mean - expected) ** 2 * n) / (deviation ** 2 * (n - 1));
}
