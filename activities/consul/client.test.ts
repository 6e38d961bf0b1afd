import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { ConsulClient, MAX_VALUE_BYTES } from './client.ts';
import type { ServiceRegistration } from './types.ts';

let server: Server;
let client: ConsulClient;
let status: number;
let body: string;
let hang: boolean;
const asked: { method: string; url: string; token: unknown; body: string }[] = [];

beforeEach(async () => {
  asked.length = 0;
  [status, body, hang] = [200, '', false];
  server = createServer((request, response) => {
    let sent = '';
    request.on('data', (chunk) => {
      sent += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, token: headers['x-consul-token'], body: sent });
      if (hang) return;
      response.writeHead(status, { 'Content-Type': /^[{[]/.test(body) ? 'application/json' : 'text/plain' });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new ConsulClient({ url: address(), token: 'secret' });
});

afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
};

const SERVICE: ServiceRegistration = {
  id: 'web:prod:t1',
  name: 'web',
  tags: ['prod', 'r1'],
  meta: { revision: 'r1' },
  address: '127.0.0.1',
  port: 1001,
};

const CHECK = { intervalSeconds: 5, timeoutSeconds: 2, startsAs: 'passing', deregisterAfterSeconds: 600 } as const;

describe('ConsulClient', () => {
  it('registers with weights and a check of a given id, in place of the checks before', async () => {
    await client.registerService({ ...SERVICE, check: { ...CHECK, url: 'http://127.0.0.1:1001/healthz' } });
    expect(asked[0]).toMatchObject({ method: 'PUT', url: '/v1/agent/service/register?replace-existing-checks=true' });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      ID: 'web:prod:t1',
      Name: 'web',
      Tags: ['prod', 'r1'],
      Meta: { revision: 'r1' },
      Address: '127.0.0.1',
      Port: 1001,
      Weights: { Passing: 1, Warning: 1 },
      Check: {
        CheckID: 'service:web:prod:t1',
        Name: 'GET http://127.0.0.1:1001/healthz',
        HTTP: 'http://127.0.0.1:1001/healthz',
        Method: 'GET',
        Interval: '5s',
        Timeout: '2s',
        Status: 'passing',
        DeregisterCriticalServiceAfter: '600s',
      },
    });
  });

  it('checks a service without a path by its port', async () => {
    await client.registerService({ ...SERVICE, weight: 3, check: CHECK });
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      Weights: { Passing: 3, Warning: 3 },
      Check: { TCP: '127.0.0.1:1001' },
    });
  });

  it('sends its token with every kind of call', async () => {
    body = 'true';
    await client.kvPut('a', 'b');
    await client.deregisterService('x');
    expect(asked.map(({ token }) => token)).toEqual(['secret', 'secret']);
  });

  it.each([
    ['true', true],
    ['false', false],
  ])('tells whether a compare-and-set won: %s', async (said, won) => {
    body = said;
    expect(await client.kvPut('a/b', 'v', { cas: 7 })).toBe(won);
    expect(asked[0]).toMatchObject({ method: 'PUT', url: '/v1/kv/a/b?cas=7', body: 'v' });
    expect(await client.kvDelete('a/b', { cas: 7 })).toBe(won);
    expect(asked[1]).toMatchObject({ method: 'DELETE', url: '/v1/kv/a/b?cas=7' });
  });

  it('asks for nothing that a server may have known before it was started again', async () => {
    body = '[]';
    await client.kvGet('a');
    await client.kvList('a/');
    await client.serviceHealth('web', 'r1');
    expect(asked.map(({ url }) => new URL(url ?? '', 'http://consul').searchParams.get('consistent'))).toEqual([
      '1',
      '1',
      '1',
    ]);
  });

  it('takes a service that is not known for one that is gone', async () => {
    [status, body] = [404, 'Unknown service "x"'];
    await client.deregisterService('x');
    expect(asked).toMatchObject([{ method: 'PUT', url: '/v1/agent/service/deregister/x' }]);
  });

  it.each([500, 502, 429])('calls %i unavailable, which may be tried again', async (code) => {
    [status, body] = [code, 'No cluster leader'];
    for (const call of [() => client.kvPut('a', 'b'), () => client.agentServices(), () => client.kvGet('a')]) {
      const failure = await failureOf(call());
      expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
      expect(failure.message).toContain(`answered ${code}: No cluster leader`);
    }
  });

  it('is refused without the right token', async () => {
    [status, body] = [403, 'Permission denied'];
    for (const call of [
      () => client.kvPut('a', 'b'),
      () => client.agentServices(),
      () => client.deregisterService('x'),
    ]) {
      const failure = await failureOf(call());
      expect(failure).toMatchObject({ type: 'SystemRefused', nonRetryable: true });
      expect(failure.message).toContain('Permission denied; check the token');
    }
  });

  it('does not take anything for an answer', async () => {
    body = '<html>login</html>';
    expect(await failureOf(client.kvPut('a', 'b'))).toMatchObject({ type: 'UnexpectedAnswer' });
    expect(await failureOf(client.agentServices())).toMatchObject({ type: 'UnexpectedAnswer' });
    body = '{"x":{"ID":7}}';
    const failure = await failureOf(client.agentServices());
    expect(failure.type).toBe('UnexpectedAnswer');
    expect(failure.message).toContain('x.ID');
  });

  it('gives up on an answer that never comes', async () => {
    hang = true;
    const impatient = new ConsulClient({ url: address(), timeoutMs: 50 });
    for (const call of [() => impatient.kvPut('a', 'b'), () => impatient.agentServices()]) {
      const failure = await failureOf(call());
      expect(failure.type).toBe('SystemUnavailable');
      expect(failure.message).toMatch(/50 ?ms/);
    }
    impatient.close();
  });

  it('says that nobody listens', async () => {
    const url = address();
    await new Promise((resolve) => server.close(resolve));
    const lonely = new ConsulClient({ url });
    for (const call of [() => lonely.kvPut('a', 'b'), () => lonely.kvGet('a')]) {
      expect((await failureOf(call())).message).toContain('ECONNREFUSED');
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  it.each([
    ['a value over the limit', () => client.kvPut('a', 'x'.repeat(MAX_VALUE_BYTES + 1)), 'more than 409600'],
    ['an empty key', () => client.kvPut('', 'x'), 'no key'],
    ['a key with a space', () => client.kvGet('a b'), 'no key'],
    ['an empty transaction', () => client.transaction([]), '1 to 64 operations'],
    [
      'a transaction of too many operations',
      () => client.transaction(Array.from({ length: 65 }, () => ({ verb: 'delete', key: 'a' }))),
      'this has 65',
    ],
    [
      'a transaction of too many bytes',
      () =>
        client.transaction(Array.from({ length: 2 }, () => ({ verb: 'set', key: 'a', value: 'x'.repeat(200_000) }))),
      'too many for one request',
    ],
  ])('does not send %s', async (_name, call, said) => {
    const failure = await failureOf(call());
    expect(failure).toMatchObject({ type: 'RequestInvalid', nonRetryable: true });
    expect(failure.message).toContain(said);
    expect(asked).toEqual([]);
  });
});
