import type { App } from './model.ts';

/** The launch delay of an app that keeps failing. Times are milliseconds of the caller's clock. */
export interface Backoff {
  readonly delayMs: number;
  /** The delay counts from here: the last failure, or the last start under delay. */
  readonly referenceMs: number;
}

type Limits = Pick<App, 'backoffSeconds' | 'backoffFactor' | 'maxLaunchDelaySeconds'>;

/** How long a second of an app's delays takes, unless a cell is told otherwise. */
const SECOND_MS = 1_000;

/** The delay belongs to a generation: a new one starts without. */
export function backoffKey(app: Pick<App, 'id' | 'generation'>): string {
  return `${app.id} ${app.generation}`;
}

/** After a bad end: the first delay is `backoffSeconds`, each further one `backoffFactor` times the one before. */
export function afterFailure(
  backoff: Backoff | undefined,
  limits: Limits,
  nowMs: number,
  secondMs = SECOND_MS,
): Backoff {
  const limit = limits.maxLaunchDelaySeconds * secondMs;
  const wanted = backoff ? backoff.delayMs * limits.backoffFactor : limits.backoffSeconds * secondMs;
  return { delayMs: Math.min(wanted, limit), referenceMs: nowMs };
}

/** While there is a delay, every start counts from anew: launches are spaced by it. */
export function afterStart(backoff: Backoff, nowMs: number): Backoff {
  return { ...backoff, referenceMs: nowMs };
}

/** When the next launch may be. */
export function launchAllowedAt(backoff: Backoff): number {
  return backoff.referenceMs + backoff.delayMs;
}

/** A delay is forgotten when nothing happened for as long as the longest delay. */
export function isForgotten(backoff: Backoff, limits: Limits, nowMs: number, secondMs = SECOND_MS): boolean {
  return nowMs > backoff.referenceMs + limits.maxLaunchDelaySeconds * secondMs;
}
