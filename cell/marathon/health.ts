import type { HealthCheck } from './model.ts';

/** What is known of one instance by one of its checks. Times are ISO 8601, as the API shows them. */
export interface Health {
  readonly firstSuccess?: string;
  readonly lastSuccess?: string;
  readonly lastFailure?: string;
  readonly lastFailureCause?: string;
  readonly consecutiveFailures: number;
}

export const UNKNOWN_HEALTH: Health = { consecutiveFailures: 0 };

/** Healthy: the last success is newer than the last failure. */
export function isAlive(health: Health): boolean {
  if (health.lastSuccess === undefined) return false;
  return health.lastFailure === undefined || health.lastSuccess > health.lastFailure;
}

export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly cause: string };

/** What a result means. */
export interface Verdict {
  readonly health: Health;
  /** Counted as a failure: told as `failed_health_check_event`. Failures within the grace period are not. */
  readonly counted: boolean;
  /** The instance must be replaced. */
  readonly kill: boolean;
}

/**
 * Takes in one result of a check that Marathon makes.
 *
 * Failures within the grace period after the start and before the first success do not count. The kill comes on the
 * counted failure after `maxConsecutiveFailures`; 0 never kills.
 *
 * @param runningSinceMs when the task began to run
 * @param secondMs how long a second of the grace period takes
 */
export function judgeResult(
  health: Health,
  result: CheckResult,
  check: Pick<HealthCheck, 'gracePeriodSeconds' | 'maxConsecutiveFailures'>,
  runningSinceMs: number,
  nowMs: number,
  secondMs = 1000,
): Verdict {
  if (result.ok) return { health: afterSuccess(health, nowMs), counted: false, kill: false };
  const inGrace = nowMs < runningSinceMs + check.gracePeriodSeconds * secondMs;
  // An instance with a new task keeps what was seen of the one before; the new task has its grace all the same.
  const hadSuccess = health.lastSuccess !== undefined && Date.parse(health.lastSuccess) >= runningSinceMs;
  if (!hadSuccess && inGrace) {
    // Not counted, but looked at: the instance shows as not healthy, with no failure.
    return { health: { ...health, consecutiveFailures: 0 }, counted: false, kill: false };
  }
  return {
    health: afterFailure(health, result.cause, nowMs),
    counted: true,
    kill: check.maxConsecutiveFailures > 0 && health.consecutiveFailures >= check.maxConsecutiveFailures,
  };
}

export function afterSuccess(health: Health, nowMs: number): Health {
  const now = new Date(nowMs).toISOString();
  return { ...health, firstSuccess: health.firstSuccess ?? now, lastSuccess: now, consecutiveFailures: 0 };
}

export function afterFailure(health: Health, cause: string, nowMs: number): Health {
  return {
    ...health,
    lastFailure: new Date(nowMs).toISOString(),
    lastFailureCause: cause,
    consecutiveFailures: health.consecutiveFailures + 1,
  };
}
