import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MarathonClient } from './client.ts';
import { lockingDeployments } from './errors.ts';

/** A server that answers each request as the test says and remembers what it was asked. */
let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const asked: { method: string; url: string; headers: Record<string, unknown>; body: string }[] = [];

beforeEach(async () => {
  asked.length = 0;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const answerWith = (status: number, body: unknown) => {
  answer = (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
};

const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
};

const APP = { id: '/prod/web/r1', instances: 2 };

describe('MarathonClient', () => {
  it('scales with the instance count alone', async () => {
    answerWith(200, { version: 'v', deploymentId: 'd-1' });
    const result = await new MarathonClient({ url: `${url}/` }).scaleApp('/prod/web/r1', 3);
    expect(result).toEqual({ version: 'v', deploymentId: 'd-1' });
    expect(asked).toMatchObject([{ method: 'PUT', url: '/v2/apps/prod/web/r1', body: '{"instances":3}' }]);
  });

  it('forces only when told', async () => {
    answerWith(200, { version: 'v', deploymentId: 'd-1' });
    await new MarathonClient({ url }).scaleApp('/prod/web/r1', 0, { force: true });
    expect(asked[0]?.url).toBe('/v2/apps/prod/web/r1?force=true');
  });

  it('has no app where Marathon answers 404', async () => {
    answerWith(404, { message: "App '/prod/web/r1' does not exist" });
    const client = new MarathonClient({ url });
    expect(await client.getApp('/prod/web/r1')).toBeUndefined();
    expect(await client.deleteApp('/prod/web/r1')).toBeUndefined();
    expect(await client.listTasks('/prod/web/r1')).toBeUndefined();
  });

  it('sends no request that would name all apps', async () => {
    answerWith(200, {});
    const failure = await failureOf(new MarathonClient({ url }).deleteApp('/'));
    expect(failure.type).toBe('Internal');
    expect(asked).toEqual([]);
  });

  it('fills what some releases leave out and keeps what it does not know', async () => {
    answerWith(200, { app: { ...APP, env: null, novelty: 1 } });
    const app = await new MarathonClient({ url }).getApp('/prod/web/r1');
    expect(app).toMatchObject({ env: {}, labels: {}, tasks: [], deployments: [], healthChecks: [], novelty: 1 });
  });

  it('asks for embeds one by one and keeps to the group', async () => {
    answerWith(200, { apps: [APP, { ...APP, id: '/prod/webshop/r1' }, { ...APP, id: '/prod/web' }] });
    const apps = await new MarathonClient({ url }).listApps({ group: '/prod/web', label: 'a==b', embed: ['tasks'] });
    expect(apps.map((app) => app.id)).toEqual(['/prod/web/r1']);
    expect(asked[0]?.url).toBe('/v2/apps?label=a%3D%3Db&embed=apps.counts&embed=apps.deployments&embed=apps.tasks');
  });

  it('sends credentials', async () => {
    answerWith(200, { leader: 'm:8080' });
    await new MarathonClient({ url, auth: { username: 'u', password: 'p' } }).leader();
    await new MarathonClient({ url, auth: { authorization: 'token=abc' } }).leader();
    expect(asked.map((request) => request.headers['authorization'])).toEqual(['Basic dTpw', 'token=abc']);
  });

  it.each([500, 502, 503, 408, 429])('calls %i unavailable, which may be tried again', async (status) => {
    answerWith(status, '<html>Service  Unavailable</html>');
    const failure = await failureOf(new MarathonClient({ url }).info());
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(failure.message).toContain(`GET /v2/info answered ${status}: <html>Service Unavailable</html>`);
  });

  it('names the deployments that lock an app', async () => {
    answerWith(409, { message: 'App is locked ...', deployments: [{ id: 'd-7' }, { id: 'd-8' }] });
    const failure = await failureOf(new MarathonClient({ url }).scaleApp('/a', 1));
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(failure.message).toContain('locked by deployment d-7, d-8');
    expect(lockingDeployments(failure)).toEqual(['d-7', 'd-8']);
  });

  it('tells an existing app from a locked one', async () => {
    answerWith(409, { message: 'An app with id [/a] already exists.' });
    const failure = await failureOf(new MarathonClient({ url }).createApp({ id: '/a' }));
    expect(failure).toMatchObject({ type: 'SystemRefused', nonRetryable: true });
    expect(lockingDeployments(failure)).toBeUndefined();
  });

  it("passes on Marathon's own words when it refuses", async () => {
    const details = [{ path: '/cpus', errors: ['error.expected.jsnumber'] }];
    answerWith(422, { message: 'Invalid JSON', details });
    const failure = await failureOf(new MarathonClient({ url }).createApp({ id: '/a' }));
    expect(failure).toMatchObject({ type: 'SystemRefused', nonRetryable: true });
    expect(failure.details).toEqual([{ status: 422, message: 'Invalid JSON', details }]);
    expect(failure.message).toContain('POST /v2/apps answered 422: Invalid JSON [{"path":"/cpus"');
  });

  it('does not take a page for an answer', async () => {
    answerWith(200, '<html>login</html>');
    expect(await failureOf(new MarathonClient({ url }).info())).toMatchObject({ type: 'UnexpectedAnswer' });
    answerWith(200, { apps: [{ id: 7 }] });
    const failure = await failureOf(new MarathonClient({ url }).listApps());
    expect(failure.type).toBe('UnexpectedAnswer');
    expect(failure.message).toContain('apps.0.id');
    answerWith(302, '');
    expect((await failureOf(new MarathonClient({ url }).info())).message).toContain('redirect');
  });

  it('gives up on an answer that never comes, and on one that never ends', async () => {
    answer = () => {};
    const client = new MarathonClient({ url, timeoutMs: 50 });
    const failure = await failureOf(client.info());
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(failure.message).toContain('GET /v2/info got no answer (no answer within 50 ms)');
    answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    };
    expect((await failureOf(client.info())).message).toContain('no answer within 50 ms');
  });

  it('says that nobody listens', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const failure = await failureOf(new MarathonClient({ url: `http://127.0.0.1:${port}` }).ping());
    expect(failure.type).toBe('SystemUnavailable');
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('ends a call when the caller is cancelled', async () => {
    const controller = new AbortController();
    answer = () => controller.abort();
    await expect(new MarathonClient({ url }).info({ signal: controller.signal })).rejects.toBeInstanceOf(
      CancelledFailure,
    );
    await expect(new MarathonClient({ url }).info({ signal: controller.signal })).rejects.toThrow('cancelled before');
  });

  it('waits for what becomes of a change that is under way when the caller is cancelled', async () => {
    const controller = new AbortController();
    answer = (_request, response) => {
      controller.abort();
      setImmediate(() => response.writeHead(200).end(JSON.stringify({ version: 'v', deploymentId: 'd-1' })));
    };
    const scaled = await new MarathonClient({ url }).scaleApp('/prod/web/r1', 3, { signal: controller.signal });
    expect(scaled).toEqual({ version: 'v', deploymentId: 'd-1' });
  });
});
