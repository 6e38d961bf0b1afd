import type { Bundle } from './bundle.ts';
import type { RevisionSpec } from './revision-app.ts';

/** One revision as the lane knows it. */
export interface RevisionRecord {
  /** `r<N>`. */
  readonly revision: string;
  readonly bundle: Bundle;
  /** How it runs; with it the revision can be started again as it was. */
  readonly spec: RevisionSpec;
  /** Instances wanted now. */
  readonly instances: number;
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
}
