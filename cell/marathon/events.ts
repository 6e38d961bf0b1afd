import type { ServerResponse } from 'node:http';
import type { FaultBoard } from '../faults/board.ts';
import { deliveryOf } from '../faults/marathon-faults.ts';

/** An empty line so often keeps a stream alive and shows that the client is gone. */
const KEEP_ALIVE_MS = 10_000;
/** A client that is so far behind is cut off. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

interface Listener {
  readonly response: ServerResponse;
  readonly types: ReadonlySet<string> | undefined;
  readonly remoteAddress: string;
}

/**
 * Tells everyone who listens on `/v2/events`. Nothing is numbered, kept or replayed: what happens while a client is
 * away is lost to it, as with the original.
 */
export class EventBus {
  readonly #listeners = new Set<Listener>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #nowMs: () => number;
  readonly #faults: FaultBoard | undefined;

  constructor(nowMs: () => number, faults?: FaultBoard) {
    this.#nowMs = nowMs;
    this.#faults = faults;
    this.#keepAlive = setInterval(() => {
      if (faults?.eventsSilent) return;
      for (const listener of this.#listeners) this.#send(listener, '\r\n');
    }, KEEP_ALIVE_MS);
    this.#keepAlive.unref();
  }

  publish(eventType: string, fields: Readonly<Record<string, unknown>>): void {
    const event = { ...fields, eventType, timestamp: new Date(this.#nowMs()).toISOString() };
    const frame = `event: ${eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`;
    const { copies, delayMs } = deliveryOf(this.#faults, eventType);
    const tell = () => {
      for (const listener of this.#listeners) {
        if (!listener.types || listener.types.has(eventType)) this.#send(listener, frame.repeat(copies));
      }
    };
    if (delayMs > 0) setTimeout(tell, delayMs).unref();
    else if (copies > 0) tell();
  }

  /** Turns an answer into a stream of events; `types` empty means all. */
  attach(response: ServerResponse, types: readonly string[], remoteAddress: string): void {
    const listener: Listener = { response, types: types.length > 0 ? new Set(types) : undefined, remoteAddress };
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

  #send(listener: Listener, frame: string): void {
    if (listener.response.writableLength > MAX_BACKLOG_BYTES) listener.response.destroy();
    else listener.response.write(frame);
  }
}
