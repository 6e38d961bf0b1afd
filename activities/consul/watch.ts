import { setTimeout as delay } from 'node:timers/promises';
import type { ConsulClient } from './client.ts';

export interface WatchOptions {
  /** How long Consul holds a query in which nothing changes; its own limit is 600. Default 60. */
  readonly waitSeconds?: number;
  /** How often it may ask; default: two at once, then one a second. */
  readonly limit?: TokenBucket;
  /** Ends the watch; the iteration then finishes without an error. */
  readonly signal: AbortSignal;
}

/**
 * The answer to a query, now and after each change, as text; empty where nothing is there. Follows Consul's rules for
 * blocking queries: an answer is not proof of a change, so equal ones are left out; an index that went backwards (a
 * restored or new server) starts over; queries are limited to two at once and one a second after that, whatever the
 * index does, because another key or service may move it all the time. No final state is missed by that: the query
 * that comes later sees it.
 *
 * Fails as `ConsulClient` does when the agent does not answer, at once when the connection breaks. Starting again is the
 * caller's business, who should take a break for a sign that anything may have changed.
 *
 * @param path path and query, such as `/v1/kv/slipway/traffic?recurse=true`
 */
export async function* watch(
  client: ConsulClient,
  path: string,
  options: WatchOptions,
): AsyncGenerator<string, void, undefined> {
  const limit = options.limit ?? new TokenBucket({ capacity: 2, perSecond: 1 });
  let index = 0;
  let known: string | undefined;
  while (!options.signal.aborted) {
    try {
      await delay(limit.take(performance.now()), undefined, { signal: options.signal });
      const answer = await client.block(path, {
        index,
        waitSeconds: options.waitSeconds ?? 60,
        signal: options.signal,
      });
      index = nextIndex(index, answer.index);
      if (answer.text === known) continue;
      known = answer.text;
    } catch (error) {
      if (options.signal.aborted) return;
      throw error;
    }
    yield known;
  }
}

/**
 * The index to wait on next: 0, which does not wait, after it went backwards; never 0 otherwise, since a query with
 * index 0 comes back at once and would spin.
 */
export function nextIndex(asked: number, answered: number): number {
  if (answered < asked) return 0;
  return Math.max(1, answered);
}

/** Lets a few through at once, and then no more than the rate. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  #tokens: number;
  #since: number | undefined;

  constructor(options: { readonly capacity: number; readonly perSecond: number }) {
    this.#capacity = options.capacity;
    this.#perSecond = options.perSecond;
    this.#tokens = options.capacity;
  }

  /** Takes a token. @param now milliseconds of a steady clock @returns milliseconds to wait before going on */
  take(now: number): number {
    const elapsed = this.#since === undefined ? 0 : Math.max(0, now - this.#since);
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsed / 1000) * this.#perSecond);
    this.#since = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }
}
