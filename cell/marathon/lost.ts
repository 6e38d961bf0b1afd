import type { UnreachableStrategy } from './model.ts';

/** When a lost instance is replaced and when it is given up, by the time since it was lost. */

/** Another takes its place from now on. */
export function isInactive(strategy: UnreachableStrategy, lostForMs: number, secondMs: number): boolean {
  return strategy !== 'disabled' && lostForMs >= strategy.inactiveAfterSeconds * secondMs;
}

/** Nobody waits for it any more. */
export function isGivenUp(strategy: UnreachableStrategy, lostForMs: number, secondMs: number): boolean {
  return strategy !== 'disabled' && lostForMs >= strategy.expungeAfterSeconds * secondMs;
}
