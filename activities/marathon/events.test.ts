import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { type EventStreamOptions, marathonEvents } from './events.ts';
import type { MarathonEvent } from './types.ts';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const STREAM = { 'Content-Type': 'text/event-stream;charset=utf-8' };
const frame = (type: string, more: object = {}) =>
  `event: ${type}\r\ndata: ${JSON.stringify({ ...more, eventType: type, timestamp: '2026-01-01T00:00:00.000Z' })}\r\n\r\n`;

/** All events until the stream ends, and what ended it. */
async function listen(options: Partial<EventStreamOptions> = {}) {
  const events: MarathonEvent[] = [];
  try {
    for await (const event of marathonEvents({ url, ...options })) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return { events, error };
  }
}

describe('marathonEvents', () => {
  it('asks in the one way Marathon accepts and reads events across any split of the bytes', async () => {
    let asked: IncomingMessage | undefined;
    answer = (request, response) => {
      asked = request;
      response.writeHead(200, STREAM);
      const bytes = Buffer.from(`${frame('event_stream_attached')}\r\n${frame('a_event', { name: 'größe' })}`);
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    };
    const { events, error } = await listen({ types: ['a_event'] });
    expect(events.map((event) => event.eventType)).toEqual(['event_stream_attached', 'a_event']);
    expect(events[1]).toMatchObject({ name: 'größe' });
    expect(error).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(error?.message).toContain('Marathon ended the stream');
    expect(asked?.headers.accept).toBe('text/event-stream');
    expect(asked?.url).toBe('/v2/events?event_type=event_stream_attached&event_type=a_event');
  });

  it('counts keep-alives as life and silence as death', async () => {
    answer = (_request, response) => {
      response.writeHead(200, STREAM);
      let beats = 0;
      const timer = setInterval(() => {
        beats += 1;
        response.write(beats === 10 ? frame('late_event') : '\r\n');
        if (beats === 10) clearInterval(timer);
      }, 250);
    };
    // Nine beats alone last longer than the silence that is borne, and a slow machine makes none of that length.
    const { events, error } = await listen({ silenceMs: 2_000 });
    expect(events.map((event) => event.eventType)).toEqual(['late_event']);
    expect(error?.message).toContain('no byte within 2000 ms');
  });

  it('gives up on a server that does not answer', async () => {
    answer = () => {};
    const { error } = await listen({ timeoutMs: 50 });
    expect(error?.message).toContain('no answer within 50 ms');
  });

  it('reports a refusal and what is no event stream', async () => {
    answer = (_request, response) => response.writeHead(405).end('{"message":"Method Not Allowed"}');
    expect((await listen()).error).toMatchObject({ type: 'SystemRefused' });
    answer = (_request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
    expect((await listen()).error).toMatchObject({ type: 'UnexpectedAnswer' });
    answer = (_request, response) => response.writeHead(200, STREAM).end('data: nonsense\r\n\r\n');
    expect((await listen()).error).toMatchObject({ type: 'UnexpectedAnswer' });
  });

  it('reports a connection that breaks', async () => {
    answer = (_request, response) => {
      response.writeHead(200, STREAM);
      response.write(frame('first_event'), () => response.destroy());
    };
    const { events, error } = await listen();
    expect(events).toHaveLength(1);
    expect(error).toMatchObject({ type: 'SystemUnavailable' });
  });

  it('ends quietly when the caller has enough, and closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.writeHead(200, STREAM);
      response.write(frame('first_event'));
      response.on('close', () => closed.resolve());
    };
    const controller = new AbortController();
    for await (const event of marathonEvents({ url, signal: controller.signal })) {
      expect(event.eventType).toBe('first_event');
      controller.abort();
    }
    await closed.promise;
  });
});
