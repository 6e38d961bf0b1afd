import { canonicalJson } from './digest.ts';
import { revisionAppId } from './environment.ts';
import { type LaneState, type ScaleBounds, weightsOf } from './lane.ts';
import type { RevisionSpec } from './revision-app.ts';
import { achievedShares } from './traffic.ts';

export type Shares = Readonly<Record<string, number>>;

/** What Slipway has made of a service in an environment: everything a person could change by hand. */
export interface Expected {
  readonly environment: string;
  readonly service: string;
  readonly revisions: readonly ExpectedRevision[];
  /** Percent of traffic by revision; those not named get none. */
  readonly weights: Shares;
  /** Version that the config centre points to; 0 for none, or for one that is not Slipway's to say. */
  readonly configVersion: number;
  readonly bounds: ScaleBounds | null;
  /** Differences that were adopted, by `toleranceOf`. */
  readonly tolerated: readonly string[];
}

interface TrafficParts {
  readonly shares: Shares;
  /** Weight of each server of a revision. */
  readonly weights: Shares;
}

export interface ExpectedRevision {
  readonly spec: RevisionSpec;
  readonly instances: number;
  /** A scaling of it has not come to its end: how many instances it has says nothing. */
  readonly scaling?: boolean;
}

/** What is there now. A part is absent where its system gave no answer: then nothing is known to differ. */
export interface Observed {
  /** Every app of the service. */
  readonly apps?: readonly ObservedApp[];
  /** The traffic document; null where there is none. */
  readonly traffic?: TrafficParts | null;
  /** Every server of the service in every balancer. */
  readonly servers?: readonly ObservedServer[];
  /** Version that the config centre points to; 0 where it points to none. */
  readonly configVersion?: number;
  readonly bounds?: ScaleBounds | null;
}

export interface ObservedApp {
  readonly appId: string;
  /** Instances wanted. */
  readonly instances: number;
  /** Of those: fit to serve. Absent where Marathon does not count them. */
  readonly healthy?: number;
  /** Paths in its definition that are not as the revision's, such as `env.COLOUR`; empty for an app that is no revision. */
  readonly edited: readonly string[];
}

export interface ObservedServer {
  readonly balancer: string;
  /** `<revision>.<task>`. */
  readonly name: string;
  readonly revision: string;
  readonly weight: number;
}

/** One thing that is not as Slipway made it. */
export type Difference =
  | { readonly kind: 'scaled'; readonly revision: string; readonly wanted: number; readonly found: number }
  | { readonly kind: 'deleted'; readonly revision: string; readonly wanted: number }
  | { readonly kind: 'edited'; readonly revision: string; readonly fields: readonly string[] }
  | { readonly kind: 'unknown-app'; readonly app: string; readonly instances: number }
  | {
      readonly kind: 'traffic';
      readonly wanted: Shares;
      /** What the document comes to. */
      readonly found: Shares;
      readonly document: TrafficParts;
    }
  | { readonly kind: 'traffic-deleted'; readonly wanted: Shares }
  | {
      readonly kind: 'server-weights';
      readonly balancer: string;
      readonly servers: readonly { readonly name: string; readonly wanted: number; readonly found: number }[];
    }
  | { readonly kind: 'config'; readonly wanted: number; readonly found: number }
  | { readonly kind: 'bounds'; readonly wanted: ScaleBounds | null; readonly found: ScaleBounds | null };

/** Where each kind of difference is seen. */
const PARTS: Readonly<Record<Difference['kind'], keyof Observed>> = {
  scaled: 'apps',
  deleted: 'apps',
  edited: 'apps',
  'unknown-app': 'apps',
  traffic: 'traffic',
  'traffic-deleted': 'traffic',
  'server-weights': 'servers',
  config: 'configVersion',
  bounds: 'bounds',
};

/** Percentage points by which a document's weights may miss its shares: whole numbers can't come nearer at times. */
const ROUNDING_POINTS = 5;

/**
 * What an idle lane expects to find; undefined while it has never known anything, so that all would look strange.
 *
 * @param scaling its last scaling has not come to its end
 */
export function expectedOf(state: LaneState, scaling = false): Expected | undefined {
  const { bounds, configVersion, current, environment, service, tolerated } = state;
  if (state.lastRevision === 0) return undefined;
  return {
    environment,
    service,
    revisions:
      current === undefined
        ? []
        : [{ spec: current.spec, instances: current.instances, ...(scaling ? { scaling } : {}) }],
    weights: weightsOf(state),
    configVersion: configVersion ?? current?.bundle.configVersion ?? 0,
    bounds: bounds ?? null,
    tolerated: tolerated ?? [],
  };
}

/**
 * Everything that is not as expected, as far as it is known. Pure: the same input gives the same list.
 *
 * @param known what differed before; it still does where nothing is known now
 */
export function differences(
  expected: Expected,
  observed: Observed,
  known: readonly Difference[] = [],
): readonly Difference[] {
  const { configVersion, bounds } = observed;
  const found = known.filter(({ kind }) => observed[PARTS[kind]] === undefined);
  if (observed.apps !== undefined) found.push(...appDifferences(expected, observed.apps));
  if (observed.traffic !== undefined) found.push(...trafficDifferences(expected, observed.traffic));
  if (observed.servers !== undefined && observed.traffic) {
    found.push(...serverDifferences(observed.traffic.weights, observed.servers));
  }
  if (configVersion !== undefined && expected.configVersion > 0 && configVersion !== expected.configVersion) {
    found.push({ kind: 'config', wanted: expected.configVersion, found: configVersion });
  }
  if (bounds !== undefined && !sameBounds(bounds, expected.bounds)) {
    found.push({ kind: 'bounds', wanted: expected.bounds, found: bounds });
  }
  return found.flatMap((difference) => {
    const left = withoutTolerated(difference, expected.tolerated);
    return left === undefined ? [] : [left];
  });
}

/**
 * Those of the second look that the first one saw too, whatever their figures were then: a system in the middle of
 * something shows a difference once, a hand-made change stays.
 */
export function persisting(first: readonly Difference[], second: readonly Difference[]): readonly Difference[] {
  const seen = new Set(first.map(subjectOf));
  return second.filter((difference) => seen.has(subjectOf(difference)));
}

/** What to remember so that an adopted difference is not called one again; empty where the lane's own fields say it. */
export function toleranceOf(difference: Difference): readonly string[] {
  if (difference.kind === 'unknown-app') return [appTolerance(difference.app)];
  if (difference.kind === 'traffic') return [trafficTolerance(difference.document)];
  if (difference.kind !== 'server-weights') return [];
  return difference.servers.map(({ name, found }) => serverTolerance(difference.balancer, name, found));
}

/** Whether a traffic document that was written by hand was adopted: shares say nothing of what is there then. */
export function toleratesTraffic(tolerated: readonly string[]): boolean {
  return tolerated.some((tolerance) => tolerance.startsWith(TRAFFIC_TOLERANCE));
}

/** What of it outlives a release, which sets traffic and weights anew: the apps that are none of Slipway's business. */
export function lastingTolerance(tolerated: readonly string[]): readonly string[] {
  return tolerated.filter((tolerance) => tolerance.startsWith(appTolerance('')));
}

function appDifferences({ environment, service, revisions }: Expected, apps: readonly ObservedApp[]): Difference[] {
  const found: Difference[] = [];
  for (const { spec, instances: wanted, scaling = false } of revisions) {
    const { revision } = spec;
    const app = apps.find(({ appId }) => appId === revisionAppId(environment, service, revision));
    if (app === undefined) {
      found.push({ kind: 'deleted', revision, wanted });
      continue;
    }
    if (app.edited.length > 0) found.push({ kind: 'edited', revision, fields: app.edited });
    if (app.instances !== wanted && !scaling) found.push({ kind: 'scaled', revision, wanted, found: app.instances });
  }
  const known = new Set(revisions.map(({ spec }) => revisionAppId(environment, service, spec.revision)));
  for (const { appId, instances } of apps) {
    if (!known.has(appId)) found.push({ kind: 'unknown-app', app: appId, instances });
  }
  return found;
}

function trafficDifferences({ revisions, weights: wanted }: Expected, traffic: Observed['traffic']): Difference[] {
  if (!traffic) return hasTraffic(wanted) ? [{ kind: 'traffic-deleted', wanted }] : [];
  const changed = (found: Shares): Difference[] => [
    {
      kind: 'traffic',
      wanted,
      found: withTraffic(found),
      document: { shares: traffic.shares, weights: traffic.weights },
    },
  ];
  if (!sameShares(wanted, traffic.shares, 0.01)) return changed(traffic.shares);
  // The shares may be as they were and the weights, which are what counts, not.
  const servers = Object.fromEntries(revisions.map(({ spec, instances }) => [spec.revision, instances]));
  for (const revision of Object.keys(traffic.weights)) servers[revision] ??= 1;
  const found = achievedShares(traffic.weights, servers);
  return sameShares(wanted, found, ROUNDING_POINTS) ? [] : changed(found);
}

function serverDifferences(weights: Shares, servers: readonly ObservedServer[]): Difference[] {
  const balancers = [...new Set(servers.map(({ balancer }) => balancer))];
  return balancers.flatMap((balancer) => {
    const differing = servers
      .filter((server) => server.balancer === balancer && server.weight !== (weights[server.revision] ?? 0))
      .map(({ name, revision, weight }) => ({ name, wanted: weights[revision] ?? 0, found: weight }));
    return differing.length === 0 ? [] : [{ kind: 'server-weights' as const, balancer, servers: differing }];
  });
}

function withoutTolerated(difference: Difference, tolerated: readonly string[]): Difference | undefined {
  if (difference.kind !== 'server-weights') {
    return toleranceOf(difference).some((tolerance) => tolerated.includes(tolerance)) ? undefined : difference;
  }
  const servers = difference.servers.filter(
    ({ name, found }) => !tolerated.includes(serverTolerance(difference.balancer, name, found)),
  );
  return servers.length === 0 ? undefined : { ...difference, servers };
}

const appTolerance = (app: string): string => `app ${app}`;
const TRAFFIC_TOLERANCE = 'traffic ';
const trafficTolerance = ({ shares, weights }: TrafficParts): string =>
  `${TRAFFIC_TOLERANCE}${canonicalJson({ shares, weights })}`;
const serverTolerance = (balancer: string, name: string, weight: number): string =>
  `weight ${balancer} ${name} ${weight}`;

function subjectOf(difference: Difference): string {
  switch (difference.kind) {
    case 'scaled':
    case 'deleted':
    case 'edited':
      return `${difference.kind} ${difference.revision}`;
    case 'unknown-app':
      return `${difference.kind} ${difference.app}`;
    case 'server-weights':
      return `${difference.kind} ${difference.balancer}`;
    default:
      return difference.kind;
  }
}

const hasTraffic = (shares: Shares): boolean => Object.values(shares).some((share) => share > 0);

const withTraffic = (shares: Shares): Shares =>
  Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0));

/** Whether the same revisions have traffic, each as much as in the other but for so many percentage points. */
export function sameShares(one: Shares, other: Shares, points: number): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((revision) => {
    const [left = 0, right = 0] = [one[revision], other[revision]];
    return left > 0 === right > 0 && Math.abs(left - right) <= points;
  });
}

export function sameBounds(one: ScaleBounds | null, other: ScaleBounds | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.min === other.min &&
    one.max === other.max &&
    one.requestsPerSecondPerInstance === other.requestsPerSecondPerInstance &&
    one.downAfterSeconds === other.downAfterSeconds
  );
}
