/** Events of one interval: how many there were, and how many of them were on the side that is looked at. */
export interface Split {
  readonly here: number;
  readonly total: number;
  /** Share of them that is expected on that side, 0..1. */
  readonly share: number;
}

/** Counts that weigh what they are worth, and the share that was expected of them. */
export interface EffectiveSplit {
  readonly here: number;
  readonly elsewhere: number;
  /** Mean of the intervals' shares, weighted by their events, 0..1. */
  readonly share: number;
  /** How much noisier than chance the split is; the counts are divided by it. */
  readonly dispersion: number;
}

/** What is believed of the noise before it is seen. */
export interface NoisePrior {
  /** Correlation of the events of one interval, 0..1. */
  readonly correlation: number;
  /** How many intervals with events this belief is worth. */
  readonly intervals: number;
}

/**
 * Before it is seen, events of one interval are taken to come half in bursts. Measured with noise that multiplies the
 * errors of each arm in each second by lognormal factors of sigma up to 2: false alarms stay below the nominal rate from
 * the first look, and where errors are sparse it costs next to nothing.
 */
export const UNKNOWN_NOISE: NoisePrior = { correlation: 0.5, intervals: 10 };

/** Nothing is believed: only noise that is seen counts. */
export const SEEN_NOISE: NoisePrior = { correlation: 0, intervals: 0 };

/**
 * Adds up intervals, and divides the counts by how much noisier than chance they are. Within an interval the side's part
 * is taken to vary as a beta-binomial one with correlation rho between any two events, so its variance is that of chance
 * times 1 + (m - 1) rho for m events (Williams, "Extra-binomial variation in logistic linear models", Applied Statistics
 * 31, 1982, section 3); rho is estimated by moments. Divided counts weigh as quasi-likelihood does (McCullagh and
 * Nelder, "Generalized Linear Models", 2nd edition, 1989, section 4.5). What hits both sides at once is no noise of the
 * split, and neither is a steady difference: the odds of all intervals are those expected times one factor.
 */
export function effectiveSplit(splits: readonly Split[], prior: NoisePrior): EffectiveSplit {
  const counted = splits.filter(({ total }) => total > 0);
  const here = sum(counted, (split) => split.here);
  const total = sum(counted, (split) => split.total);
  if (total === 0) return { here: 0, elsewhere: 0, share: 0, dispersion: 1 };
  const dispersion = dispersionOf(counted, prior);
  return {
    here: here / dispersion,
    elsewhere: (total - here) / dispersion,
    share: sum(counted, (split) => split.total * split.share) / total,
    dispersion,
  };
}

/** How much noisier than chance the split is, over all intervals; 1 where there are no events. */
export function dispersionOf(splits: readonly Split[], prior: NoisePrior): number {
  const counted = splits.filter(({ total }) => total > 0);
  if (counted.length === 0) return 1;
  const correlation = eventCorrelation(counted, prior);
  const weighed = sum(counted, ({ total }) => total * (1 + Math.max(total - 1, 0) * correlation));
  return weighed / sum(counted, ({ total }) => total);
}

function eventCorrelation(splits: readonly Split[], prior: NoisePrior): number {
  const odds = oddsFactor(splits);
  // One event tells nothing about company; all events on one side tell nothing either.
  const telling = odds > 0 && Number.isFinite(odds) ? splits.filter(tells) : [];
  const intervals = telling.length;
  if (intervals < 2) return prior.correlation;
  const surplus = telling.reduce((found, { here, total, share }) => {
    const expected = (share * odds) / (1 - share + share * odds);
    const pearson = (here - total * expected) ** 2 / (total * expected * (1 - expected));
    return found + (pearson * intervals) / (intervals - 1) - 1;
  }, 0);
  const seen = surplus / sum(telling, ({ total }) => total - 1);
  const bounded = Math.min(Math.max(seen, 0), 1);
  return (intervals * bounded + prior.intervals * prior.correlation) / (intervals + prior.intervals);
}

function tells({ total, share }: Split): boolean {
  return total >= 2 && share > 0 && share < 1;
}

/**
 * The one factor on the expected odds, by the estimating equation of Mantel and Haenszel ("Statistical aspects of the
 * analysis of data from retrospective studies of disease", 1959).
 */
function oddsFactor(splits: readonly Split[]): number {
  const more = sum(splits, ({ here, share }) => here * (1 - share));
  const fewer = sum(splits, ({ here, total, share }) => (total - here) * share);
  return more / fewer;
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
