import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ApiClient, ApiRefusal, ApiUnreachable } from './api-client.ts';

type Answer = (response: ServerResponse) => void;

const done: Answer = (response) => void response.end(JSON.stringify({ done: true }));
/** As a process that ends before it has answered. */
const gone: Answer = (response) => void response.destroy();
const proxy =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>no server is available</h1>');
const problem =
  (status: number, code: string): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/problem+json' }).end(
      JSON.stringify({
        type: `urn:slipway:problem:${code}`,
        ...{ title: code, status, detail: 'as the test wants it', instance: '/', code, requestId: 'r' },
      }),
    );

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

/** An API that answers each request by the next of these. */
async function apiThat(...answers: readonly Answer[]) {
  const left = [...answers];
  const requests: IncomingMessage[] = [];
  const away: string[] = [];
  server = createServer((request, response) => {
    requests.push(request);
    (left.shift() ?? done)(response);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const api = new ApiClient({
    ...{ url: `http://127.0.0.1:${port}`, token: 't', language: 'en', interrupted: new AbortController().signal },
    onAway: (reason) => away.push(reason),
  });
  const send = () => api.call('/v1/x', z.object({ done: z.boolean() }), { method: 'POST', body: {}, key: 'click' });
  return { send, requests, away };
}

describe('a command', () => {
  it('is sent on, as the same one, while the API is started again', async () => {
    const { send, requests, away } = await apiThat(gone, proxy(503), gone, proxy(502));
    await expect(send()).resolves.toEqual({ done: true });
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(5).fill('click'));
    expect(away).toEqual([expect.stringContaining("can't be reached")]);
  });

  it('is sent again, as the same one, when nobody knows whether it was taken', async () => {
    const { send, requests } = await apiThat(problem(504, 'DeadlineExceeded'), problem(503, 'SystemUnavailable'));
    await expect(send()).resolves.toEqual({ done: true });
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(3).fill('click'));
  });

  it('is given up when the API has said three times that it can not answer', async () => {
    const { send, requests } = await apiThat(...Array<Answer>(4).fill(problem(504, 'DeadlineExceeded')));
    await expect(send()).rejects.toBeInstanceOf(ApiRefusal);
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['a refusal', problem(409, 'ReleaseOver'), ApiRefusal],
    ['what is no answer of an API', proxy(404), ApiUnreachable],
  ])('is sent once for %s', async (_, answer, kind) => {
    const { send, requests } = await apiThat(answer);
    await expect(send()).rejects.toBeInstanceOf(kind);
    expect(requests).toHaveLength(1);
  });
});
