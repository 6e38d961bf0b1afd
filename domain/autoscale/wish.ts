import { counted } from '../counted.ts';
import type { ScaleBounds } from '../lane.ts';
import { instancesForLoad, TOLERANCE } from './hpa.ts';

/**
 * What autoscaling knows of one service in one environment. Load is what its users ask, as the balancer counted it;
 * processor and memory use are left out on purpose: a fault that keeps every instance busy under flat traffic would
 * grow the service to its maximum and help nobody.
 */
export interface ServiceFacts {
  readonly bounds: ScaleBounds;
  /** Instances wanted so far; absent before the first release. */
  readonly instances?: number;
  /** Release that holds the lane, if any. */
  readonly holder?: string;
  /** Absent when nothing was counted. */
  readonly load?: ServiceLoad;
  /** Length of the window over which load is averaged, seconds. */
  readonly windowSeconds: number;
}

export interface ServiceLoad {
  readonly requestsPerSecond: number;
  /** How much of the window has figures. */
  readonly seconds: number;
}

/** Null: there is nothing to tell the lane. */
export interface WishDecision {
  readonly wish: number | null;
  /** One plain sentence with the figures it rests on. */
  readonly because: string;
}

/** What autoscaling decided for one service in one run. */
export interface AutoscaleRow extends WishDecision {
  readonly environment: string;
  readonly service: string;
  /** Null when nothing was counted. */
  readonly requestsPerSecond: number | null;
  /** Instances wanted so far; null before the first release. */
  readonly instances: number | null;
}

/** Less of the window than this has too few figures to decide on. */
const LEAST_COVERAGE = 0.5;

/**
 * How many instances the load of a service asks for. Missing figures ask for as many as there are: silence of the
 * metrics must neither shrink a service nor let an older, smaller wish do it. Bounds and time are applied by
 * `decideInstances`.
 */
export function wishForLoad({ bounds, instances, holder, load, windowSeconds }: ServiceFacts): WishDecision {
  if (instances === undefined) return { wish: null, because: 'nothing serves yet' };
  // Two writers of one count would fight: while a release runs, its plan says how many there are.
  if (holder !== undefined) return { wish: null, because: `${holder} holds the lane` };
  if (load === undefined) return { wish: instances, because: 'no figures of its load, so it stays as it is' };
  if (load.seconds < LEAST_COVERAGE * windowSeconds) {
    const covered = `figures for only ${Math.round(load.seconds)} of the last ${windowSeconds} s`;
    return { wish: instances, because: `${covered}, so it stays as it is` };
  }
  const target = bounds.requestsPerSecondPerInstance;
  const wish = instancesForLoad({ total: load.requestsPerSecond, target, current: instances });
  const rate = `${load.requestsPerSecond.toFixed(1)} requests/s`;
  const because =
    wish === instances
      ? `${rate} on ${counted(instances, 'instance')} is within ${100 * TOLERANCE} % of ${target} each`
      : `${rate} at ${target} each ask for ${counted(wish, 'instance')}, not ${instances}`;
  return { wish, because };
}
