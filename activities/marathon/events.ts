import { ApplicationFailure } from '@temporalio/common';
import { createParser } from 'eventsource-parser';
import { fetchFailureReason } from '../fetch-failure.ts';
import type { MarathonOptions } from './client.ts';
import { answerFailure, networkFailure, unexpectedAnswer } from './errors.ts';
import { EventSchema, type MarathonEvent } from './types.ts';

/** How to listen to the event stream. */
export interface EventStreamOptions extends MarathonOptions {
  /**
   * Only these event types; all when absent. `event_stream_attached` always comes: it says that nothing from then on
   * is missed for want of a connection.
   */
  readonly types?: readonly string[];
  /**
   * The stream counts as dead after so long without a byte. Marathon sends an empty line every 10 s.
   * Default 25 000: two keep-alives missed and some slack.
   */
  readonly silenceMs?: number;
  /** Ends the stream; the iteration then finishes without an error. */
  readonly signal?: AbortSignal;
}

/**
 * Marathon's events from now on, over one connection. The iteration ends with `SystemUnavailable` when the connection
 * is lost, refused or silent for too long, and without an error when `signal` is aborted or the caller leaves the loop.
 *
 * Marathon numbers nothing, replays nothing, drops and reorders: take an event as a hint to look, never as the truth,
 * and look at everything after each new connection. Connecting again is the caller's business.
 */
export async function* marathonEvents(options: EventStreamOptions): AsyncGenerator<MarathonEvent, void, undefined> {
  const url = options.url.replace(/\/+$/, '');
  const path = `/v2/events${typeFilter(options.types)}`;
  const call = `GET ${path}`;
  const timer = new SilenceTimer(options.timeoutMs ?? 10_000, 'no answer');
  try {
    const response = await fetch(url + path, {
      // Exactly this value: Marathon answers 405 to anything else.
      headers: { Accept: 'text/event-stream', ...authorization(options) },
      signal: options.signal ? AbortSignal.any([options.signal, timer.signal]) : timer.signal,
    });
    if (response.status !== 200) throw answerFailure(url, call, response.status, await response.text());
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream') || !response.body) {
      throw unexpectedAnswer(url, call, response.status, type, 'is not an event stream');
    }
    timer.restart(options.silenceMs ?? 25_000, 'no byte');

    const received: MarathonEvent[] = [];
    const parser = createParser({
      onEvent: ({ data }) => {
        const event = EventSchema.safeParse(parseJson(data));
        if (!event.success)
          throw unexpectedAnswer(url, call, response.status, data, 'holds something that is no event');
        received.push(event.data);
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      // While the caller works on an event nothing is read, which is no silence of Marathon's.
      timer.stop();
      yield* received.splice(0);
      timer.restart();
    }
    throw networkFailure(url, call, 'Marathon ended the stream', undefined);
  } catch (error) {
    if (options.signal?.aborted) return;
    if (timer.signal.aborted) throw networkFailure(url, call, timer.reason, error);
    if (error instanceof ApplicationFailure) throw error;
    // All else comes from fetch: a connection that was refused, reset or broken.
    throw networkFailure(url, call, fetchFailureReason(error), error);
  } finally {
    timer.stop();
  }
}

/** Aborts its signal when nothing restarted or stopped it in time. */
class SilenceTimer {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #ms: number;
  #what: string;

  constructor(ms: number, what: string) {
    this.#ms = ms;
    this.#what = what;
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): string {
    return `${this.#what} within ${this.#ms} ms`;
  }

  restart(ms: number = this.#ms, what: string = this.#what): void {
    this.stop();
    this.#ms = ms;
    this.#what = what;
    this.#timer = setTimeout(() => this.#controller.abort(), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function typeFilter(types: readonly string[] | undefined): string {
  if (!types) return '';
  const parameters = new URLSearchParams();
  for (const type of new Set(['event_stream_attached', ...types])) parameters.append('event_type', type);
  return `?${parameters}`;
}

function authorization({ auth }: MarathonOptions): { Authorization?: string } {
  if (!auth) return {};
  if ('authorization' in auth) return { Authorization: auth.authorization };
  return { Authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}

/** The value, or undefined for text that is not JSON; the schema then says that this is no event. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
