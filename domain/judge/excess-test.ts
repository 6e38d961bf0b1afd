import { dispersionOf, type NoisePrior, type Split } from './dispersion.ts';

/**
 * By what factor the odds of an event here may turn out to be too high, and how much each is looked for. Where the
 * increase is manifold every second counts, so most of the weight is there; a small one shows in so many events that a
 * small weight delays it little.
 */
const ALTERNATIVES = [
  { times: 1.2, weight: 0.01 },
  { times: 1.5, weight: 0.02 },
  { times: 2.5, weight: 0.07 },
  { times: 5, weight: 0.2 },
  { times: 10, weight: 0.4 },
  { times: 20, weight: 0.2 },
  { times: 50, weight: 0.1 },
] as const;

/**
 * Logarithm of the evidence that events fall here more often than expected, against "as often, or less": the weighted
 * mean of likelihood ratios (Wald, "Sequential Tests of Statistical Hypotheses", 1945), each of one factor on the odds.
 * Each interval expects its own share. While the true odds are those expected or lower, the mean has an expectation of at
 * most 1 however the figures grow, so by Ville's inequality the chance that it ever reaches 1/alpha is at most alpha,
 * however often one looks. It looks on one side only, so it sees a manifold increase sooner than the test of
 * `share-test.ts`, which looks on both. What is noisier than chance counts for less (see `dispersion.ts`).
 *
 * A share of 0 makes one event here proof (Infinity); one of 1 is no evidence.
 */
export function logExcessEvidence(splits: readonly Split[], prior: NoisePrior): number {
  const counted = splits.filter(({ total }) => total > 0);
  const dispersion = dispersionOf(counted, prior);
  return logMean(
    ALTERNATIVES.map(({ times, weight }) => {
      const ratio = counted.reduce((sum, split) => sum + logRatio(split, times), 0);
      return { logarithm: ratio / dispersion, weight };
    }),
  );
}

/** With odds so many times larger a share s is s t / (1 + s (t - 1)). */
function logRatio({ here, total, share }: Split, times: number): number {
  if (share <= 0) return here > 0 ? Number.POSITIVE_INFINITY : 0;
  return here * Math.log(times) - total * Math.log1p(share * (times - 1));
}

/** Logarithm of the weighted mean of what these are logarithms of. @param parts their weights sum to 1 */
export function logMean(parts: readonly { readonly logarithm: number; readonly weight: number }[]): number {
  const largest = Math.max(...parts.map(({ logarithm }) => logarithm));
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(parts.reduce((sum, part) => sum + part.weight * Math.exp(part.logarithm - largest), 0));
}
