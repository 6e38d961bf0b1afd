import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { until } from './mesos-until.ts';

/** The server behind the proxy: remembers what reached it and echoes it. */
let server: Server;
let proxy: FaultProxy;
const reached: string[] = [];

beforeEach(async () => {
  reached.length = 0;
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    reached.push(`${request.method} ${request.url} ${body}`);
    if (request.url === '/stream') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('one\n');
      return;
    }
    response.writeHead(201, { 'X-Seen-Host': request.headers.host ?? '', 'Content-Type': 'text/plain' });
    response.end(`echo ${body}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startFaultProxy({ target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** @param signal of a client that gives up; by default one that is patient */
const post = (path: string, body: string, signal = AbortSignal.timeout(30_000)) =>
  fetch(proxy.url + path, { method: 'POST', body, signal });

describe('startFaultProxy', () => {
  it('changes nothing without a rule', async () => {
    const response = await post('/a/b?c=d', 'hello');
    expect([response.status, await response.text()]).toEqual([201, 'echo hello']);
    expect(response.headers.get('x-seen-host')).toBe(new URL(proxy.url).host);
    expect(reached).toEqual(['POST /a/b?c=d hello']);
  });

  it('passes streams on while they run, and their end by the client', async () => {
    const response = await fetch(`${proxy.url}/stream`);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('one\n');
    await reader?.cancel();
  });

  it('answers 503 before or after the request was done', async () => {
    proxy.arm({ kind: '503-before', method: 'POST', path: /^\/x/, times: 1 });
    expect((await post('/x', '1')).status).toBe(503);
    expect(reached).toEqual([]);
    const after = proxy.arm({ kind: '503-after', status: 500 });
    expect((await post('/x', '2')).status).toBe(500);
    expect(reached).toEqual(['POST /x 2']);
    expect(after.hits).toBe(1);
    after.disarm();
    expect((await post('/x', '3')).status).toBe(201);
    expect(proxy.requests.map((request) => request.fault)).toEqual(['503-before', '503-after', undefined]);
  });

  it('hits only what the rule names, and only so often', async () => {
    const fault = proxy.arm({ kind: '503-before', method: 'GET', path: /only/, times: 1 });
    expect((await post('/only', '')).status).toBe(201);
    expect((await fetch(`${proxy.url}/other`)).status).toBe(201);
    expect((await fetch(`${proxy.url}/only`)).status).toBe(503);
    expect((await fetch(`${proxy.url}/only`)).status).toBe(201);
    expect(fault.hits).toBe(1);
  });

  it('holds until the rule is taken away', async () => {
    const first = proxy.arm({ kind: 'hold', path: /^\/first$/ });
    proxy.arm({ kind: 'hold', path: /^\/second$/ });
    const [held, other] = [post('/first', '1'), post('/second', '2')];
    expect((await post('/free', '3')).status).toBe(201);
    expect(reached).toEqual(['POST /free 3']);
    first.disarm();
    expect(await (await held).text()).toBe('echo 1');
    expect(reached).toEqual(['POST /free 3', 'POST /first 1']);
    proxy.disarmAll();
    expect(await (await other).text()).toBe('echo 2');
  });

  it('drops and hangs, before and after', async () => {
    proxy.arm({ kind: 'drop', path: /^\/drop$/ });
    proxy.arm({ kind: 'drop-after', path: /^\/drop-after$/ });
    proxy.arm({ kind: 'hang', path: /^\/hang$/ });
    proxy.arm({ kind: 'hang-after', path: /^\/hang-after$/ });
    await expect(post('/drop', '1')).rejects.toThrow('fetch failed');
    await expect(post('/drop-after', '2')).rejects.toThrow('fetch failed');
    await expect(post('/hang', '3', AbortSignal.timeout(300))).rejects.toThrow('timeout');
    const client = new AbortController();
    const hanging = post('/hang-after', '4', client.signal);
    await until('both to have reached the server', 20_000, () => reached.length === 2);
    client.abort(new Error('enough'));
    await expect(hanging).rejects.toThrow('enough');
    expect(reached).toEqual(['POST /drop-after 2', 'POST /hang-after 4']);
  });

  it('delays', async () => {
    proxy.arm({ kind: 'delay', delayMs: 50, times: 1 });
    const start = performance.now();
    expect((await post('/slow', '1')).status).toBe(201);
    // A timer may fire a fraction of a millisecond early by another clock.
    expect(performance.now() - start).toBeGreaterThan(49);
  });

  it('shows a target that is gone as a broken connection, and finds its successor', async () => {
    const { port } = server.address() as AddressInfo;
    proxy.retarget('http://127.0.0.1:1');
    await expect(post('/x', '1')).rejects.toThrow('fetch failed');
    proxy.retarget(`http://127.0.0.1:${port}`);
    expect((await post('/x', '2')).status).toBe(201);
  });
});
