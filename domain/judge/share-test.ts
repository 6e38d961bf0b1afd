import { logBeta } from './log-beta.ts';

/**
 * Weight of the prior, in events: how far from the expected share the alternative looks. 10 was measured to find
 * canaries with a few times the errors of the baseline soonest.
 */
const PRIOR_EVENTS = 10;

/**
 * Logarithm of the Bayes factor against "each of these events falls here with probability `share`": the Beta-Binomial
 * marginal likelihood with prior Beta(k share, k (1 - share)), k = 10, over the likelihood at `share`,
 *
 *   ln B(a + here, b + elsewhere) - ln B(a, b) - here ln share - elsewhere ln (1 - share).
 *
 * As a sequence over growing counts it is a martingale under the hypothesis, so by Ville's inequality the chance that
 * it ever reaches 1/alpha is at most alpha, however often one looks. Source: Lindon and Malek, "Anytime-Valid Inference
 * for Multinomial Count Data" (NeurIPS 2022), for two categories. Counts need not be whole: what is noisier than chance
 * counts for less (see `dispersion.ts`).
 *
 * @param share 0..1; at 0 and 1 one event on the impossible side is proof (Infinity), and nothing else is evidence (0)
 */
export function logShareEvidence(here: number, elsewhere: number, share: number, priorEvents = PRIOR_EVENTS): number {
  if (share <= 0) return here > 0 ? Number.POSITIVE_INFINITY : 0;
  if (share >= 1) return elsewhere > 0 ? Number.POSITIVE_INFINITY : 0;
  const a = priorEvents * share;
  const b = priorEvents * (1 - share);
  const likelihood = here * Math.log(share) + elsewhere * Math.log1p(-share);
  return logBeta(a + here, b + elsewhere) - logBeta(a, b) - likelihood;
}

/**
 * Whether the true share is shown to be above `share`, with a chance of at most `alpha` to say so wrongly at any time.
 * A larger number of events here only makes it likelier, so the guarantee at `share` covers every smaller true share.
 */
export function shownAbove(here: number, elsewhere: number, share: number, alpha: number): boolean {
  return here > (here + elsewhere) * share && logShareEvidence(here, elsewhere, share) >= -Math.log(alpha);
}

/** Whether the true share is shown to be below `share`, with the same guarantee for every larger true share. */
export function shownBelow(here: number, elsewhere: number, share: number, alpha: number): boolean {
  return here < (here + elsewhere) * share && logShareEvidence(here, elsewhere, share) >= -Math.log(alpha);
}

/** Steps of halving after which a bound of a share is exact to 15 digits. */
const HALVINGS = 50;

/**
 * Bounds of the true share of events here, each of which is wrong at any time with a chance of at most `alpha`: the
 * confidence sequence that belongs to the test (all shares that it does not refuse).
 */
export function shareBounds(
  here: number,
  elsewhere: number,
  alpha: number,
): { readonly low: number; readonly high: number } {
  const total = here + elsewhere;
  if (total <= 0) return { low: 0, high: 1 };
  return {
    low: here > 0 ? edge(here / total, 0, (share) => shownAbove(here, elsewhere, share, alpha)) : 0,
    high: elsewhere > 0 ? edge(here / total, 1, (share) => shownBelow(here, elsewhere, share, alpha)) : 1,
  };
}

/** The share nearest to `kept` that is refused, on the way to `end`, where every share is. */
function edge(kept: number, end: number, refused: (share: number) => boolean): number {
  let inside = kept;
  let outside = end;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (inside + outside) / 2;
    if (refused(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}
