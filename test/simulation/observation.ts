import type { ScaleBounds } from '../../domain/lane.ts';
import type { ReleaseView } from '../../domain/release.ts';
import type { World } from './world/world.ts';

/** One app as it is outside. */
export interface ObservedApp {
  readonly revision: string;
  readonly version: string;
  readonly wanted: number;
  /** Those that came up: what befell them since is no matter of Slipway's. */
  readonly live: number;
}

/** A service in an environment as it is outside, at one moment. */
export interface Observation {
  readonly environment: string;
  readonly apps: readonly ObservedApp[];
  /** As the traffic document says; undefined where there is none. */
  readonly shares: Readonly<Record<string, number>> | undefined;
  /** What each balancer would really give, percent by revision; empty where nothing is served. */
  readonly given: readonly Readonly<Record<string, number>>[];
  /** Address the name is bound to. */
  readonly name: string | undefined;
  readonly config: string | undefined;
  readonly bounds: ScaleBounds | undefined;
}

/** What is true of a service in an environment now. */
export function observe(world: World, environment: string, service: string): Observation {
  const bounds = world.consul.value(`slipway/scale/${environment}/${service}`);
  return {
    environment,
    apps: world.apps(environment, service).map((app) => ({
      revision: app.id.split('/')[3] ?? '',
      version: world.marathon.versionOf(app),
      wanted: app.instances,
      live: world.marathon.cameUp(app).length,
    })),
    shares: world.document(environment, service)?.shares,
    given: world.balancers.map((balancer) => {
      const servers = balancer.list().filter(({ backend }) => backend === `${environment}.${service}`);
      const total = servers.reduce((sum, { weight }) => sum + weight, 0);
      const given: Record<string, number> = {};
      for (const { revision, weight } of servers) {
        if (weight > 0) given[revision] = (given[revision] ?? 0) + (100 * weight) / total;
      }
      return given;
    }),
    name: world.consul.value(`slipway/names/${environment}/${service}`),
    config: world.consul.value(`cfg/${environment}/${service}/current`),
    bounds: bounds === undefined ? undefined : (JSON.parse(bounds) as ScaleBounds),
  };
}

/** Fresh instances of the revision before, which a canary is compared with. */
export const isBaseline = (revision: string): boolean => revision.endsWith('-baseline');

/** Where a release is while something is about to change: what invariants of the way are checked against. */
export interface Moment {
  readonly observation: Observation;
  readonly view: ReleaseView;
  /** What served when the release began. */
  readonly before: Observation;
  /** Who holds everything up since before that which is about to happen was asked for; undefined where nobody does. */
  readonly heldUp: string | undefined;
  /** False while what served before could not be started again. */
  readonly mayGoBack: boolean;
  /** So many instances somebody has added by hand, and that was taken over. */
  readonly adopted: number;
  /** Steps that the ledger knows of. */
  readonly written: ReadonlySet<string>;
}
