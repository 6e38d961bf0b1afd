import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ReleaseView } from '../domain/release.ts';
import { ApiClient } from './api-client.ts';
import { followRelease, type Sight } from './release-stream.ts';

const view: ReleaseView = {
  id: 'release/sample/k1',
  service: 'sample',
  requestedBy: 'ann',
  startedAt: '2026-11-22T10:00:00.000Z',
  steps: [],
  approvals: [],
  verdicts: [],
  rollbacks: [],
};
const ended: ReleaseView = { ...view, outcome: 'released' };
const event = (id: number, name: string, data: unknown) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

/** An API that answers each request by the next of these. */
async function apiThat(answers: readonly Answer[]) {
  const left = [...answers];
  const requests: IncomingMessage[] = [];
  server = createServer((request, response) => {
    requests.push(request);
    const answer = left.shift();
    if (answer === undefined) response.destroy();
    else answer(request, response);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const interrupted = new AbortController().signal;
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: 't', language: 'en', interrupted });
  return { api, requests };
}

async function follow(api: ApiClient, signal = AbortSignal.timeout(50_000)): Promise<Sight[]> {
  const sights: Sight[] = [];
  for await (const sight of followRelease(api, '/v1/releases/sample/k1', signal)) sights.push(sight);
  return sights;
}

const stream =
  (...events: string[]): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const each of events) response.write(each);
  };

describe('following a release', () => {
  it('sees its states and its end, however the bytes are cut', async () => {
    const text = event(1, 'release', { ...view, requestedBy: '安娜' }) + event(2, 'end', ended);
    const { api } = await apiThat([
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const byte of Buffer.from(text)) response.write(Buffer.from([byte]));
      },
    ]);
    expect(await follow(api)).toEqual([
      { kind: 'release', view: { ...view, requestedBy: '安娜' } },
      { kind: 'end', view: ended },
    ]);
  });

  it('comes back after a lost connection and an API that is away, and says from where', async () => {
    const { api, requests } = await apiThat([
      (request, response) => {
        stream(event(7, 'release', view))(request, response);
        setImmediate(() => response.destroy());
      },
      (_request, response) => void response.writeHead(502).end('bad gateway'),
      stream(event(8, 'end', ended)),
    ]);
    const sights = await follow(api);
    expect(sights.map(({ kind }) => kind)).toEqual(['release', 'lost', 'lost', 'end']);
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '7', '7']);
    expect(sights[2]).toMatchObject({ reason: expect.stringContaining('status 502') });
  });

  it('goes on when the API can not read the release for now', async () => {
    const problem = {
      type: 'urn:slipway:problem:SystemUnavailable',
      title: '',
      status: 503,
      detail: 'no worker',
      instance: '/',
      code: 'SystemUnavailable',
      requestId: 'r',
    };
    const { api } = await apiThat([stream(event(1, 'problem', problem), event(2, 'end', ended))]);
    expect(await follow(api)).toEqual([
      { kind: 'lost', reason: 'no worker' },
      { kind: 'end', view: ended },
    ]);
  });

  it('gives up when the API says that there is no such release', async () => {
    const problem = {
      type: 'urn:slipway:problem:UnknownRelease',
      title: 'There is no such release',
      status: 404,
      detail: 'there is no release sample/k1',
      instance: '/',
      code: 'UnknownRelease',
      requestId: 'r',
    };
    const { api, requests } = await apiThat([
      (_request, response) =>
        void response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem)),
    ]);
    await expect(follow(api)).rejects.toMatchObject({ problem });
    expect(requests).toHaveLength(1);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const { api } = await apiThat([stream(event(1, 'release', view))]);
    const seen: Sight[] = [];
    const run = (async () => {
      for await (const sight of followRelease(api, '/v1/releases/sample/k1', stop.signal)) {
        seen.push(sight);
        stop.abort(new Error('enough'));
      }
    })();
    await expect(run).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
  });
});
