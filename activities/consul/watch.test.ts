import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsulClient } from './client.ts';
import { nextIndex, TokenBucket, watch } from './watch.ts';

describe('nextIndex', () => {
  it.each([
    ['goes on', 5, 9, 9],
    ['stays', 9, 9, 9],
    ['went backwards: start over', 9, 3, 0],
    ['is never 0, which would not wait', 0, 0, 1],
  ])('%s', (_name, asked, answered, next) => {
    expect(nextIndex(asked, answered)).toBe(next);
  });
});

describe('TokenBucket', () => {
  it('lets its capacity through and then its rate', () => {
    const bucket = new TokenBucket({ capacity: 2, perSecond: 1 });
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 1000, 2000]);
  });

  it('fills again with time, up to its capacity', () => {
    const bucket = new TokenBucket({ capacity: 2, perSecond: 4 });
    bucket.take(0);
    bucket.take(0);
    expect(bucket.take(250)).toBe(0);
    expect([60_000, 60_000, 60_000].map((now) => bucket.take(now))).toEqual([0, 0, 250]);
  });
});

describe('watch', () => {
  let server: Server;
  let client: ConsulClient;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      answer(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new ConsulClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });

  afterEach(async () => {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const sequence = (answers: readonly (readonly [number, string])[]) => {
    const left = [...answers];
    answer = (response) => {
      const next = left.shift();
      // After the last answer the query is held, as Consul does.
      if (next === undefined) return;
      response.writeHead(200, { 'X-Consul-Index': String(next[0]) });
      response.end(next[1]);
    };
  };

  const collect = async (count: number): Promise<string[]> => {
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const text of watch(client, '/v1/kv/a?recurse=true', { signal: stop.signal })) {
      seen.push(text);
      if (seen.length === count) stop.abort();
    }
    return seen;
  };

  it('waits on the index it has, and leaves out what has not changed', async () => {
    sequence([
      [5, 'one'],
      [7, 'one'],
      [8, 'two'],
    ]);
    expect(await collect(2)).toEqual(['one', 'two']);
    expect(asked).toEqual([url(0), url(5), url(7)]);
  });

  it('starts over when the index goes backwards', async () => {
    sequence([
      [9, 'one'],
      [2, 'two'],
      [2, 'three'],
    ]);
    expect(await collect(3)).toEqual(['one', 'two', 'three']);
    expect(asked).toEqual([url(0), url(9), url(0)]);
  });

  it('takes a token for every question, also when the index moves all the time', async () => {
    let index = 0;
    answer = (response) => {
      index += 1;
      response.writeHead(200, { 'X-Consul-Index': String(index) });
      response.end('the same');
    };
    let taken = 0;
    const limit = new (class extends TokenBucket {
      override take(): number {
        taken += 1;
        return 0;
      }
    })({ capacity: 1, perSecond: 1 });
    const stop = new AbortController();
    const watching = (async () => {
      for await (const _ of watch(client, '/v1/kv/a?recurse=true', { signal: stop.signal, limit }));
    })();
    while (asked.length < 20) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await watching;
    expect(taken).toBeGreaterThanOrEqual(asked.length);
  });

  it('takes 404 for nothing there', async () => {
    answer = (response) => {
      response.writeHead(404, { 'X-Consul-Index': '4' });
      response.end();
    };
    expect(await collect(1)).toEqual(['']);
  });

  it('ends with an error when it is refused', async () => {
    answer = (response) => {
      response.writeHead(403);
      response.end('Permission denied');
    };
    await expect(collect(1)).rejects.toMatchObject({ type: 'SystemRefused', nonRetryable: true });
  });

  it('ends with an error as soon as the connection breaks', async () => {
    sequence([[5, 'one']]);
    const stop = new AbortController();
    const first = watch(client, '/v1/kv/a?recurse=true', { signal: stop.signal });
    expect((await first.next()).value).toBe('one');
    const second = first.next();
    while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
    server.closeAllConnections();
    await expect(second).rejects.toMatchObject({ type: 'SystemUnavailable' });
  });

  it('ends without an error at the signal', async () => {
    answer = () => {};
    const stop = new AbortController();
    const watching = watch(client, '/v1/kv/a?recurse=true', { signal: stop.signal }).next();
    while (asked.length < 1) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await watching).toEqual({ done: true, value: undefined });
  });
});

const url = (index: number) => `/v1/kv/a?recurse=true&index=${index}&wait=60s`;
