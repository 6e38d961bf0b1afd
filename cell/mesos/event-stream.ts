/** The stream a subscriber reads: RecordIO over a chunked answer, with a heartbeat. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { encodeRecord } from '../../activities/mesos/recordio.ts';
import { wireJson } from './wire-json.ts';

/** A reader that lets this much pile up has stopped reading. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;

export class EventStream {
  /** The `Mesos-Stream-Id` of a scheduler's subscription. */
  readonly id: string = randomUUID();
  readonly #response: ServerResponse;
  readonly #heartbeatMs: number;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  /** @param closed called once when the reader has gone; not when `end` ended the stream */
  constructor(response: ServerResponse, heartbeatMs: number, closed: () => void) {
    this.#response = response;
    this.#heartbeatMs = heartbeatMs;
    response.once('close', () => {
      if (!this.#open) return;
      this.#stop();
      closed();
    });
  }

  /** @param headers such as `Mesos-Stream-Id` */
  start(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
    this.#response.socket?.setNoDelay(true);
    this.#response.flushHeaders();
  }

  /** The first event, then a heartbeat at once, then one each interval. */
  welcome(event: object): void {
    this.send(event);
    this.send({ type: 'HEARTBEAT' });
    this.#timer = setInterval(() => this.send({ type: 'HEARTBEAT' }), this.#heartbeatMs);
  }

  send(event: object): void {
    if (!this.#open) return;
    this.#response.write(encodeRecord(wireJson(event)));
    if (this.#response.writableLength > MAX_BACKLOG_BYTES) this.#response.destroy();
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.#stop();
    this.#response.end();
  }

  #stop(): void {
    this.#open = false;
    clearInterval(this.#timer);
  }
}
