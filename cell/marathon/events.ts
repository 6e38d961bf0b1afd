import type { ServerResponse } from 'node:http';
import type { FaultBoard } from '../faults/board.ts';
import { deliveryOf } from '../faults/marathon-faults.ts';

/** An empty line so often keeps a stream alive and shows that the client is gone. */
const KEEP_ALIVE_MS = 10_000;
/** A client that is more events behind is cut off, as from 1.8 on. */
const MAX_EVENTS_BEHIND = 1024;
/** What is told in one go leaves this process a moment later: nobody can have taken any of it before. */
const LOOK_AFTER_MS = 100;
/** On a busy machine that moment is longer, so who is behind gets some more looks to catch up. */
const LOOKS_WITHOUT_GAIN = 3;

interface Listener {
  /** Sizes in bytes of what was written and, as far as is known, not taken yet; the oldest first. */
  readonly behind: number[];
  /** What successive looks have found since the client fell behind and did not catch up: how many events it was behind. */
  readonly looks: number[];
  readonly response: ServerResponse;
  readonly types: ReadonlySet<string> | undefined;
  readonly remoteAddress: string;
}

/**
 * Tells everyone who listens on `/v2/events`. Nothing is numbered, kept or replayed: what happens while a client is
 * away is lost to it, as with the original. A client that reads so slowly that more than 1024 events wait for it, beyond
 * what the buffers of its connection hold, is cut off; the others are not held up by it.
 */
export class EventBus {
  readonly #listeners = new Set<Listener>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #nowMs: () => number;
  readonly #faults: FaultBoard | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(nowMs: () => number, faults?: FaultBoard) {
    this.#nowMs = nowMs;
    this.#faults = faults;
    this.#keepAlive = setInterval(() => {
      if (faults?.eventsSilent) return;
      for (const { response } of this.#listeners) response.write('\r\n');
    }, KEEP_ALIVE_MS);
    this.#keepAlive.unref();
  }

  publish(eventType: string, fields: Readonly<Record<string, unknown>>): void {
    const event = { ...fields, eventType, timestamp: new Date(this.#nowMs()).toISOString() };
    const frame = Buffer.from(`event: ${eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`);
    const { copies, delayMs } = deliveryOf(this.#faults, eventType);
    const tell = () => {
      for (const listener of this.#listeners) {
        if (listener.types && !listener.types.has(eventType)) continue;
        for (let copy = 0; copy < copies; copy += 1) this.#send(listener, frame);
      }
    };
    if (delayMs > 0) setTimeout(tell, delayMs).unref();
    else if (copies > 0) tell();
  }

  /** Turns an answer into a stream of events; `types` empty means all. */
  attach(response: ServerResponse, types: readonly string[], remoteAddress: string): void {
    const listener: Listener = {
      behind: [],
      looks: [],
      response,
      types: types.length > 0 ? new Set(types) : undefined,
      remoteAddress,
    };
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream;charset=utf-8',
      Connection: 'close',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
    });
    response.flushHeaders();
    this.#listeners.add(listener);
    response.on('close', () => this.#detach(listener));
    response.on('error', () => this.#detach(listener));
    this.publish('event_stream_attached', { remoteAddress });
  }

  close(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#look);
    this.endStreams();
  }

  /** Ends every stream, as a leader does that is no leader any more. */
  endStreams(): void {
    for (const { response } of this.#listeners) response.end();
    this.#listeners.clear();
  }

  #detach(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    this.publish('event_stream_detached', { remoteAddress: listener.remoteAddress });
  }

  #send({ response, behind }: Listener, frame: Buffer): void {
    behind.push(frame.length);
    response.write(frame);
    this.#lookSoon();
  }

  #lookSoon(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      for (const listener of this.#listeners) cutIfBehind(listener);
      if ([...this.#listeners].some(({ looks }) => looks.length > 0)) this.#lookSoon();
    }, LOOK_AFTER_MS).unref();
  }
}

function cutIfBehind({ response, behind, looks }: Listener): void {
  let untaken = behind.reduce((sum, size) => sum + size, 0);
  while (behind.length > 0 && untaken > response.writableLength) untaken -= behind.shift() ?? 0;
  const catchesUp = behind.length < (looks[0] ?? 0);
  if (behind.length <= MAX_EVENTS_BEHIND || catchesUp) looks.length = 0;
  if (behind.length > MAX_EVENTS_BEHIND) looks.push(behind.length);
  if (looks.length >= LOOKS_WITHOUT_GAIN) response.destroy();
}
