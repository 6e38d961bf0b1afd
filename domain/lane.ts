import type { Bundle } from './bundle.ts';
import type { RevisionSpec } from './revision-app.ts';
import type { Veto } from './veto.ts';

/** One revision as the lane knows it. */
export interface RevisionRecord {
  /** `r<N>`. */
  readonly revision: string;
  readonly bundle: Bundle;
  /** How it runs; with it the revision can be started again as it was. */
  readonly spec: RevisionSpec;
  /** Instances wanted now. */
  readonly instances: number;
  /** Bounds that came with it; null for none. Absent in what lanes knew before they kept it. */
  readonly bounds?: ScaleBounds | null;
}

/** The bounds within which autoscaling may move a service; kept in Consul under `slipway/scale/<env>/<service>`. */
export interface ScaleBounds {
  readonly min: number;
  readonly max: number;
  readonly requestsPerSecondPerInstance: number;
  readonly downAfterSeconds: number;
}

/** What a lane remembers. JSON-safe: it crosses continue-as-new. */
export interface LaneState {
  readonly environment: string;
  readonly service: string;
  /** Highest revision number ever used here. */
  readonly lastRevision: number;
  /** What serves now. */
  readonly current?: RevisionRecord;
  /** What a rollback goes back to; its instances may be 0. */
  readonly previous?: RevisionRecord;
  readonly bounds?: ScaleBounds;
  /** Percent of traffic by revision, as wanted; absent in what lanes knew before they kept it. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Version that the config centre is to point to; 0 where the service has none. Absent as `weights` is. */
  readonly configVersion?: number;
  /** What can be gone back to, newest first, each bundle once, at most `MOST_EARLIER`; never the bundle that serves. */
  readonly earlier?: readonly RevisionRecord[];
  /** Adopted differences that no field above can hold, by `toleranceOf` of `domain/drift.ts`. */
  readonly tolerated?: readonly string[];
  /** Bundles that were rolled back here and may not come again until somebody lifts that. The lane's alone to change. */
  readonly vetoes?: readonly Veto[];
}

/** How many bundles a lane can go back to. */
const MOST_EARLIER = 10;

/** What can be gone back to once a bundle serves: what served until now, and what could be gone back to before. */
export function earlierThan(serves: Bundle, before: Pick<LaneState, 'current' | 'earlier'>): readonly RevisionRecord[] {
  const { current, earlier = [] } = before;
  const seen = new Set([serves.id]);
  return [...(current === undefined ? [] : [current]), ...earlier]
    .filter(({ bundle }) => {
      const isNew = !seen.has(bundle.id);
      seen.add(bundle.id);
      return isNew;
    })
    .slice(0, MOST_EARLIER);
}

/** Percent of traffic by revision, as wanted, also for a state that does not say it: then all is on what serves. */
export function weightsOf({
  current,
  weights,
}: Pick<LaneState, 'current' | 'weights'>): Readonly<Record<string, number>> {
  return weights ?? (current === undefined ? {} : { [current.revision]: 100 });
}
