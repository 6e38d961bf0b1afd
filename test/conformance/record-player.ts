/** A server that says what a real one said: for holding the production clients to records. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRecord } from '../../activities/mesos/recordio.ts';

/** What it answers to whatever comes next. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface RecordPlayer {
  readonly url: string;
  answer: Answer;
  stop(): Promise<void>;
}

export async function startRecordPlayer(): Promise<RecordPlayer> {
  const player = {
    url: '',
    answer: ((_, response) => response.writeHead(503).end()) as Answer,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => player.answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  player.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return player;
}

/** A whole answer, as recorded. */
export function recordedAnswer(status: number, body: unknown, type = 'application/json'): Answer {
  return (_, response) => {
    const text = body === undefined || body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'Content-Type': type }).end(text);
  };
}

/** A scheduler's stream, which then ends. */
export function recordedStream(events: readonly unknown[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Mesos-Stream-Id': 'recorded' });
    for (const event of events) response.write(encodeRecord(JSON.stringify(event)));
    response.end();
  };
}

/** Marathon's event stream with its line ends and its empty lines between, which then ends. */
export function recordedEvents(events: readonly { readonly event: string; readonly data: unknown }[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream;charset=UTF-8' });
    for (const { event, data } of events) {
      response.write(`event: ${event}\r\ndata: ${JSON.stringify(data)}\r\n\r\n\r\n`);
    }
    response.end();
  };
}
