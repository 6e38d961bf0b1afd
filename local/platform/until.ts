import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** Milliseconds until the wait gives up. */
  readonly withinMs: number;
  /** Milliseconds between two tries; 50 by default. */
  readonly everyMs?: number;
}

/** A condition that did not hold before its deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Tries `attempt` until it no longer throws and returns its result.
 * @throws {DeadlineError} that names what was waited for and why the last try failed.
 */
export async function until<T>(what: string, attempt: () => Promise<T> | T, options: UntilOptions): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DeadlineError(`waited ${options.withinMs} ms for ${what}: ${reason}`, { cause: error });
      }
    }
    await delay(options.everyMs ?? 50);
  }
}
