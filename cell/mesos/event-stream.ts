/** The stream a subscriber reads: RecordIO over a chunked answer, with a heartbeat. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { encodeRecord } from '../../activities/mesos/recordio.ts';
import { type MediaType, writeMessage } from './encoding.ts';
import type { MessageType } from './protobuf/notation.ts';
import { StreamCutter } from './stream-cutter.ts';

/** A reader that lets this much pile up has stopped reading. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;

export interface EventStreamOptions {
  /** What every event is. */
  readonly events: MessageType;
  /** What the reader accepts. */
  readonly mediaType: MediaType;
  readonly heartbeatMs: number;
  /** Records are cut and joined as this seed says; without it each goes out whole, in a chunk of its own. */
  readonly cutSeed?: number | undefined;
}

/** How long the end of a record may wait for the next one, where records are cut. */
const HELD_BACK_MS = 5;

export class EventStream {
  /** The `Mesos-Stream-Id` of a scheduler's subscription. */
  readonly id: string = randomUUID();
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #cutter: StreamCutter | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restTimer: NodeJS.Timeout | undefined;
  #open = true;

  /** @param closed called once when the reader has gone; not when `end` ended the stream */
  constructor(response: ServerResponse, options: EventStreamOptions, closed: () => void) {
    this.#response = response;
    this.#options = options;
    this.#cutter = options.cutSeed === undefined ? undefined : new StreamCutter(options.cutSeed);
    response.once('close', () => {
      if (!this.#open) return;
      this.#stop();
      closed();
    });
  }

  /** @param headers such as `Mesos-Stream-Id` */
  start(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, { 'Content-Type': this.#options.mediaType, ...headers });
    this.#response.socket?.setNoDelay(true);
    this.#response.flushHeaders();
  }

  /** The first event, then a heartbeat at once, then one each interval. */
  welcome(event: object): void {
    this.send(event);
    this.send({ type: 'HEARTBEAT' });
    this.#timer = setInterval(() => this.send({ type: 'HEARTBEAT' }), this.#options.heartbeatMs);
  }

  send(event: object): void {
    if (!this.#open) return;
    const { events, mediaType } = this.#options;
    this.#write(encodeRecord(writeMessage(events, event, mediaType)));
    if (this.#response.writableLength > MAX_BACKLOG_BYTES) this.#response.destroy();
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.#writeRest();
    this.#stop();
    this.#response.end();
  }

  #write(record: Buffer): void {
    if (this.#cutter === undefined) {
      this.#response.write(record);
      return;
    }
    for (const chunk of this.#cutter.add(record)) this.#response.write(chunk);
    this.#restTimer ??= setTimeout(() => this.#writeRest(), HELD_BACK_MS);
  }

  #writeRest(): void {
    clearTimeout(this.#restTimer);
    this.#restTimer = undefined;
    const rest = this.#cutter?.rest();
    if (this.#open && rest !== undefined && rest.length > 0) this.#response.write(rest);
  }

  #stop(): void {
    this.#open = false;
    clearInterval(this.#timer);
    clearTimeout(this.#restTimer);
  }
}
