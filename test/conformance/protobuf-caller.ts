/** A small client of a master's v1 APIs over protobuf. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { RecordDecoder } from '../../activities/mesos/recordio.ts';
import { decode } from '../../cell/mesos/protobuf/decode.ts';
import { encode } from '../../cell/mesos/protobuf/encode.ts';
import {
  OPERATOR_CALL,
  OPERATOR_EVENT,
  OPERATOR_RESPONSE,
  SCHEDULER_CALL,
  SCHEDULER_EVENT,
} from '../../cell/mesos/protobuf/messages.ts';
import type { JsonObject } from '../../cell/mesos/protobuf/notation.ts';
import { until } from '../integration/mesos-until.ts';

const PROTOBUF = 'application/x-protobuf';
const HEADERS = { 'Content-Type': PROTOBUF, Accept: PROTOBUF };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One call and its whole answer. */
export async function post(url: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await open(url, body, headers);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/** What an operator asks, and the message that is answered. */
export async function askOperator(master: string, call: object): Promise<JsonObject> {
  const { status, headers, body } = await post(`${master}/api/v1`, encode(OPERATOR_CALL, call), HEADERS);
  if (status !== 200 || headers['content-type'] !== PROTOBUF) throw new Error(`${status} ${body.toString()}`);
  return decode(OPERATOR_RESPONSE, body);
}

/** A subscription: every event so far, in the form of its JSON, and the bytes it came in. */
export class ProtobufStream {
  readonly events: JsonObject[] = [];
  readonly records: Buffer[] = [];
  readonly headers: IncomingHttpHeaders;
  ended = false;
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage, type: typeof SCHEDULER_EVENT) {
    this.#response = response;
    this.headers = response.headers;
    const decoder = new RecordDecoder();
    response.on('data', (chunk: Buffer) => {
      for (const record of decoder.push(chunk)) {
        this.records.push(record);
        this.events.push(decode(type, record));
      }
    });
    response.on('close', () => {
      this.ended = true;
    });
    // `close` follows.
    response.on('error', () => undefined);
  }

  /** Waits for an event. */
  event(type: string, which: (event: JsonObject) => boolean = () => true): Promise<JsonObject> {
    return until(`an event ${type}`, 20_000, () => this.events.find((event) => event['type'] === type && which(event)));
  }

  close(): void {
    this.#response.destroy();
  }
}

export async function watchMaster(master: string): Promise<ProtobufStream> {
  const body = encode(OPERATOR_CALL, { type: 'SUBSCRIBE' });
  return new ProtobufStream(await open(`${master}/api/v1`, body, HEADERS), OPERATOR_EVENT);
}

/** A framework that speaks protobuf. */
export class ProtobufFramework {
  readonly stream: ProtobufStream;
  readonly #url: string;
  /** Known once it has subscribed. */
  id: object = {};

  private constructor(url: string, stream: ProtobufStream) {
    this.#url = url;
    this.stream = stream;
  }

  /** @param info beside `user` and `name` */
  static async subscribe(master: string, info: object = {}): Promise<ProtobufFramework> {
    const url = `${master}/api/v1/scheduler`;
    const framework_info = { user: 'root', name: 'protobuf', ...info };
    const known = 'id' in framework_info ? { framework_id: framework_info.id as object } : {};
    const body = encode(SCHEDULER_CALL, { type: 'SUBSCRIBE', ...known, subscribe: { framework_info } });
    const framework = new ProtobufFramework(url, new ProtobufStream(await open(url, body, HEADERS), SCHEDULER_EVENT));
    const { subscribed } = await framework.stream.event('SUBSCRIBED');
    framework.id = (subscribed as { framework_id: object }).framework_id;
    return framework;
  }

  /** A call other than SUBSCRIBE; answers its status and text. */
  async call(type: string, part: object = {}): Promise<string> {
    const body = encode(SCHEDULER_CALL, { type, framework_id: this.id, ...part });
    const stream = String(this.stream.headers['mesos-stream-id']);
    const answer = await post(this.#url, body, { ...HEADERS, 'Mesos-Stream-Id': stream });
    return `${answer.status} ${answer.body.toString()}`.trim();
  }
}

function open(url: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { ...headers, 'Content-Length': body.length } }, resolve);
    call.on('error', reject);
    call.end(body);
  });
}
