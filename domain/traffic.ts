/** HAProxy's largest server weight; 0 means no new requests. */
export const MAX_WEIGHT = 256;

/**
 * What the balancers of an environment are to do with one service; kept in Consul under
 * `slipway/traffic/<environment>/<service>`. A revision that is not in it has weight 0.
 */
export interface TrafficDocument {
  /** Percent of traffic each revision is to get; the sum is 100, or all is empty before the first instance serves. */
  readonly shares: Readonly<Record<string, number>>;
  /** Weight of each server of a revision, 0..256. */
  readonly weights: Readonly<Record<string, number>>;
  /** HTTP path of the health check for instances that do not name their own. */
  readonly healthPath: string;
}

/** One instance as one balancer sees it. */
export interface TrafficServer {
  /** Which balancer, as configured. */
  readonly balancer: string;
  readonly revision: string;
  /** Name of the server in the balancer, `<revision>.<task>`. */
  readonly name: string;
  /** `up` once a health check of the balancer itself has passed; `unchecked` before its first check. */
  readonly status: 'up' | 'down' | 'maintenance' | 'unchecked';
  readonly weight: number;
  /** Requests it works on now. */
  readonly sessions: number;
}

/** Traffic of one service in one environment, read from the balancers. */
export interface TrafficState {
  readonly environment: string;
  readonly service: string;
  /** Percent wanted, as the document says. */
  readonly shares: Readonly<Record<string, number>>;
  /** Weight of each server of a revision; where its servers differ, the largest. */
  readonly weights: Readonly<Record<string, number>>;
  /** Percent that the weights of the servers that are up come to; empty while none is. */
  readonly achieved: Readonly<Record<string, number>>;
  readonly servers: readonly TrafficServer[];
}

/** Weights that come as near to the wanted shares as whole numbers can, and how near that is. */
export interface ServerWeights {
  /** Weight of each server of a revision, 0..256. */
  readonly weights: Readonly<Record<string, number>>;
  /** Percent each revision gets with these weights. */
  readonly achieved: Readonly<Record<string, number>>;
}

/**
 * Server weights for traffic shares. With `n` servers of weight `w` each, a revision gets `n w / sum(n w)` of all
 * requests; the whole numbers `w` are chosen so that the largest error of any share is the smallest. For two
 * revisions no better choice exists; for more, weights are tried one below and one above the exact ratio at every
 * scale. Among equals the largest weights win, so that a shift changes shares the same way at every single step.
 *
 * @param shares percent for each revision; the sum is 100
 * @param servers live servers of each revision; those without a share get weight 0
 * @throws {RangeError} for a share that is no percentage, a sum other than 100, or a share without a server
 */
export function serverWeights(
  shares: Readonly<Record<string, number>>,
  servers: Readonly<Record<string, number>>,
): ServerWeights {
  checkShares(shares, servers);
  const revisions = [...new Set([...Object.keys(shares), ...Object.keys(servers)])].sort();
  const weighted = revisions
    .filter((revision) => (shares[revision] ?? 0) > 0)
    .map((revision) => ({ revision, share: shares[revision] ?? 0, servers: servers[revision] ?? 0 }));
  const best = bestWeights(weighted);
  const weights = Object.fromEntries(revisions.map((revision) => [revision, 0]));
  for (const [index, { revision }] of weighted.entries()) weights[revision] = best[index] ?? 0;
  return { weights, achieved: achievedShares(weights, servers) };
}

/**
 * Percent of traffic each revision gets when each of its servers has its weight. Empty when no server has any.
 *
 * @param servers live servers of each revision
 */
export function achievedShares(
  weights: Readonly<Record<string, number>>,
  servers: Readonly<Record<string, number>>,
): Record<string, number> {
  const capacity = Object.entries(weights).map(([revision, weight]) => [revision, weight * (servers[revision] ?? 0)]);
  const total = capacity.reduce((sum, [, part]) => sum + Number(part), 0);
  return total === 0 ? {} : Object.fromEntries(capacity.map(([revision, part]) => [revision, percent(part, total)]));
}

const percent = (part: string | number | undefined, total: number): number => (Number(part) / total) * 100;

interface Weighted {
  readonly share: number;
  readonly servers: number;
}

/** More revisions than this with traffic at a time are weighted by rounding alone: 2^n combinations are too many. */
const MOST_COMBINED = 8;

function bestWeights(revisions: readonly Weighted[]): readonly number[] {
  const ratios = revisions.map(({ share, servers }) => share / servers);
  const largest = Math.max(...ratios);
  let best: readonly number[] = [];
  let bestError = Number.POSITIVE_INFINITY;
  for (let scale = MAX_WEIGHT; scale >= 1; scale -= 1) {
    const exact = ratios.map((ratio) => (ratio / largest) * scale);
    for (const candidate of roundings(exact)) {
      const error = largestError(revisions, candidate);
      // Differences below this are those of the arithmetic, not of the weights.
      if (error < bestError - 1e-9) {
        best = candidate;
        bestError = error;
      }
    }
  }
  return best;
}

/** Every way to round each number down or up, never to 0. */
function roundings(exact: readonly number[]): readonly (readonly number[])[] {
  if (exact.length > MOST_COMBINED) return [exact.map((value) => Math.max(1, Math.round(value)))];
  return exact.reduce<readonly (readonly number[])[]>(
    (found, value) => {
      const choices = new Set([Math.ceil(value), Math.max(1, Math.floor(value))]);
      return found.flatMap((start) => [...choices].map((choice) => [...start, choice]));
    },
    [[]],
  );
}

function largestError(revisions: readonly Weighted[], weights: readonly number[]): number {
  const parts = revisions.map(({ servers }, index) => servers * (weights[index] ?? 0));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return Math.max(...revisions.map(({ share }, index) => Math.abs(percent(parts[index], total) - share)));
}

function checkShares(shares: Readonly<Record<string, number>>, servers: Readonly<Record<string, number>>): void {
  for (const [revision, count] of Object.entries(servers)) {
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`${revision} has ${count} servers`);
  }
  for (const [revision, share] of Object.entries(shares)) {
    if (!(share >= 0 && share <= 100)) throw new RangeError(`the share of ${revision} is ${share}, not 0..100`);
    if (share > 0 && !servers[revision]) throw new RangeError(`${revision} is to get ${share} % and has no server`);
  }
  const sum = Object.values(shares).reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 100) > 1e-6) throw new RangeError(`the shares come to ${sum} %, not 100`);
}
