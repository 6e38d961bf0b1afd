import type { CalendarWindow } from './window.ts';

/**
 * `slipway.yaml`, version v1, after parsing: every default filled in, every duration in seconds, every share in
 * percent. The text is parsed by `domain/schemas/manifest.ts`.
 */
export interface Manifest {
  /** Version of this format. */
  readonly slipway: 'v1';
  /** DNS label. */
  readonly service: string;
  /** The service's own version; its release tag is `v<version>`. */
  readonly version: string;
  readonly build: BuildSpec;
  readonly run: RunSpec;
  /** In the order in which a release visits them; the last is the end of the way. */
  readonly environments: readonly EnvironmentSpec[];
  readonly tests: readonly TestSpec[];
  readonly release: ReleaseSpec;
  readonly scale?: ScaleSpec;
  readonly retention: RetentionSpec;
}

export interface BuildSpec {
  /** Which language's pipeline runs; see `domain/pipelines`. */
  readonly pipeline: 'node' | 'docker';
  /** Path inside the repository. */
  readonly dockerfile: string;
  /** Build context inside the repository. */
  readonly context: string;
  /** Longest time for the whole build. */
  readonly timeoutSeconds: number;
}

export interface RunSpec {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** HTTP path that answers 2xx when the instance can serve. */
  readonly healthPath: string;
  /** Longest time from start to healthy. */
  readonly startSeconds: number;
  /** Environment variables in every environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface EnvironmentSpec {
  readonly name: string;
  readonly instances: number;
  /** Environment variables of this environment; they win over `run.env`. */
  readonly env: Readonly<Record<string, string>>;
}

/** A container that tests the deployed service by its DNS name; it writes JUnit XML to `$MESOS_SANDBOX/junit.xml`. */
export interface TestSpec {
  readonly name: string;
  readonly dockerfile: string;
  readonly environments: readonly string[];
  readonly timeoutSeconds: number;
}

/** How the service goes to environments of tier `production`. */
export interface ReleaseSpec {
  readonly strategy: StrategyName;
  /** What the strategy `canary` does, in this order, before everything goes to the new revision. */
  readonly canary: readonly CanaryEntry[];
  /** How the strategy `rolling` cuts its batches. */
  readonly rolling: RollingSpec;
  /** Policies of the judge by name; `errors` always exists. */
  readonly metrics: Readonly<Record<string, JudgePolicy>>;
  readonly approvals: ApprovalSpec;
  /** When a release may move forward; none: always. */
  readonly windows: readonly CalendarWindow[];
  /** How long the old revision stays warm after the last shift. */
  readonly bakeSeconds: number;
  /** How long a step that failed waits for a person to have it tried again before the release ends; 0: not at all. */
  readonly retryWithinSeconds: number;
}

export const STRATEGIES = ['canary', 'rolling', 'blue-green', 'recreate', 'brutal'] as const;

export type StrategyName = (typeof STRATEGIES)[number];

/** One entry of a canary: what to bring about, or what to wait for. */
export type CanaryEntry =
  /** So many instances of the new revision, for what follows. */
  | { readonly kind: 'instances'; readonly instances: number }
  /** Percent of traffic; it brings the instances that this share of the traffic needs. */
  | { readonly kind: 'weight'; readonly weight: number }
  /** Figures are collected for so long. */
  | { readonly kind: 'hold'; readonly seconds: number }
  /** The judge speaks, by the policy of that name in `metrics`. */
  | { readonly kind: 'judge'; readonly name: string }
  /** So many different people approve. */
  | { readonly kind: 'approve'; readonly count: number };

export interface RollingSpec {
  /** Percent of the instances that are replaced at a time; rounded up to whole instances. */
  readonly batchPercent: number;
  /** Percent of the instances that may run on top meanwhile; rounded up. With 0 old instances stop before new ones start. */
  readonly surgePercent: number;
}

/** What the judge allows; see `domain/judge`. */
export interface JudgePolicy {
  /** Largest share of canary answers that may be 5xx, percent. */
  readonly maxErrorPercent: number;
  /**
   * By how many percentage points the share of errors may be above that of the old revision; absent for as many as
   * `maxErrorPercent` allows.
   */
  readonly maxErrorIncreasePercent?: number;
  /** By how many percent the canary may answer more slowly than the old revision; absent where times are not judged. */
  readonly maxSlowdownPercent?: number;
  /** Time that 99 % of the canary's answers must stay under, ms; absent where it is not judged. */
  readonly maxP99Ms?: number;
  /** Fewest requests of each side on which a verdict may rest. */
  readonly minRequests: number;
  /**
   * Chance at most of a false alarm of the comparison with the old revision, 0..1; for errors a fifth of it where fresh
   * instances err as the others do.
   */
  readonly alpha: number;
}

export interface ApprovalSpec {
  /** How many different people, the requester excluded; 0 for none. */
  readonly count: number;
  /** Name of the group they must be of; absent for anyone. */
  readonly group?: string;
  readonly expiresSeconds: number;
}

export interface ScaleSpec {
  readonly min: number;
  readonly max: number;
  /** Business load: requests a second that one instance should carry. */
  readonly requestsPerSecondPerInstance: number;
  /** How long a smaller wish must hold before instances go. */
  readonly downAfterSeconds: number;
}

export interface RetentionSpec {
  /** How many of the newest release tags stay. */
  readonly keepReleases: number;
}
