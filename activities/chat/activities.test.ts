import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Webhook } from 'standardwebhooks';
import { createChatActivities } from './activities.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const notice = { kind: 'approval', release: 'release/sample/k1', text: { en: 'sample waits', zh: 'sample 等待批准' } };

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A receiver that answers with these statuses, one after the other, then with 200. */
async function receiver(statuses: readonly number[] = [], headers: Record<string, string> = {}) {
  const received: Received[] = [];
  const left = [...statuses];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: Buffer.concat(chunks).toString('utf8'),
    });
    response.writeHead(left.shift() ?? 200, headers).end('answer');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the receiver has no port');
  return { url: `http://127.0.0.1:${address.port}/hooks/key-in-path`, secret: newSecret(), received };
}

const notify = (outbound: { url: string; secret: string }[]) =>
  new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') }).run(
    createChatActivities({ outbound }).notify,
    notice,
  );

async function failureOf(run: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof ApplicationFailure)) throw new Error(`no ApplicationFailure, but ${failure}`);
  return failure;
}

describe('notify', () => {
  it('posts to every receiver what the published library verifies', async () => {
    const receivers = [await receiver(), await receiver()];
    expect(await notify(receivers)).toEqual({ delivered: 2 });
    for (const { received, secret } of receivers) {
      const [message] = received;
      if (message === undefined) throw new Error('nothing was received');
      expect(new Webhook(secret).verify(message.body, message.headers)).toEqual({
        ...notice,
        at: expect.any(String),
      });
    }
  });

  it('keeps id and body in every attempt', async () => {
    const target = await receiver([503]);
    const failure = await failureOf(notify([target]));
    expect([failure.type, failure.nonRetryable]).toEqual(['SystemUnavailable', false]);
    await notify([target]);
    const [first, second] = target.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
  });

  it.each([
    [500, false],
    [429, false],
    [408, false],
    [400, true],
    [410, true],
    [302, true],
  ])('takes status %i for final: %s', async (status, final) => {
    const target = await receiver([status], { location: 'http://127.0.0.1:1/' });
    const failure = await failureOf(notify([target]));
    expect(failure.nonRetryable).toBe(final);
    expect(failure.type).toBe(final ? 'SystemRefused' : 'SystemUnavailable');
    expect(failure.message).toContain(`status ${status}: answer`);
    expect(failure.message).not.toContain('key-in-path');
    expect(target.received).toHaveLength(1);
  });

  it('waits as long as the receiver asks', async () => {
    const failure = await failureOf(notify([await receiver([429], { 'retry-after': '7' })]));
    expect(failure.nextRetryDelay).toBe(7000);
  });

  it('reaches the others when one is away, and says so', async () => {
    const gone = await receiver();
    const away = { url: gone.url, secret: gone.secret };
    await new Promise((resolve) => servers.shift()?.close(resolve));
    const there = await receiver();
    const failure = await failureOf(notify([away, there]));
    expect(there.received).toHaveLength(1);
    expect(failure.message).toMatch(/1 of 2 receivers .*ECONNREFUSED/);
    expect(failure.nonRetryable).toBe(false);
  });

  it('has nothing to do without receivers', async () => {
    expect(await notify([])).toEqual({ delivered: 0 });
  });
});
