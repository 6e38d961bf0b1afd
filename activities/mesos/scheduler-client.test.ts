import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MesosAnswerError, MesosError } from './errors.ts';
import { encodeRecord } from './recordio.ts';
import { SchedulerClient } from './scheduler-client.ts';
import type { SchedulerEvent } from './types.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, body: Record<string, unknown>, response: ServerResponse) => void;

/** A master of our own words, on a real socket. */
async function master(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => handler(request, text === '' ? {} : JSON.parse(text), response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const frameworkInfo = { user: 'root', name: 'test', capabilities: [{ type: 'MULTI_ROLE' }], roles: ['ci'] };

function client(url: string): SchedulerClient {
  return new SchedulerClient({ master: url, frameworkInfo, timeoutMs: 30_000 });
}

const subscribed = (seconds = 15) => ({
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: 'fw-1' }, heartbeat_interval_seconds: seconds },
});

function openStream(response: ServerResponse, ...events: unknown[]): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Mesos-Stream-Id': 'stream-1' });
  for (const event of events) response.write(encodeRecord(JSON.stringify(event)));
}

async function collect(events: AsyncGenerator<SchedulerEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const event of events) types.push(event.type);
  return types;
}

describe('SchedulerClient', () => {
  it('subscribes without a charset and without a stream id, then makes calls with both ids', async () => {
    const seen: { type: unknown; contentType: unknown; streamId: unknown; framework: unknown }[] = [];
    let stream: ServerResponse | undefined;
    const url = await master((request, body, response) => {
      seen.push({
        type: body['type'],
        contentType: request.headers['content-type'],
        streamId: request.headers['mesos-stream-id'],
        framework: body['framework_id'],
      });
      if (body['type'] === 'SUBSCRIBE') {
        stream = response;
        openStream(response, subscribed(), { type: 'HEARTBEAT' });
      } else {
        response.writeHead(202).end();
        if (body['type'] === 'TEARDOWN') stream?.end();
      }
    });
    const scheduler = client(url);
    const types: string[] = [];
    for await (const event of scheduler.subscribe()) {
      types.push(event.type);
      if (event.type !== 'HEARTBEAT') continue;
      await scheduler.decline([{ value: 'o1' }], { refuse_seconds: 3 });
      await scheduler.acknowledge({ task_id: { value: 't' }, state: 'TASK_RUNNING', agent_id: { value: 'a' } });
      await scheduler.teardown();
    }
    expect(types).toEqual(['SUBSCRIBED', 'HEARTBEAT']);
    expect(scheduler.frameworkId).toEqual({ value: 'fw-1' });
    const json = 'application/json';
    const framework = { value: 'fw-1' };
    expect(seen).toEqual([
      { type: 'SUBSCRIBE', contentType: json, streamId: undefined, framework: undefined },
      { type: 'DECLINE', contentType: json, streamId: 'stream-1', framework },
      { type: 'TEARDOWN', contentType: json, streamId: 'stream-1', framework },
    ]);
  });

  it('takes up the same framework when it subscribes again', async () => {
    const ids: unknown[] = [];
    const url = await master((_request, body, response) => {
      const subscribe = body['subscribe'] as { framework_info: { id?: unknown } };
      ids.push([body['framework_id'], subscribe.framework_info.id]);
      openStream(response, subscribed(), { type: 'ERROR', error: { message: 'Framework failed over' } });
    });
    const scheduler = client(url);
    expect(await collect(scheduler.subscribe())).toEqual(['SUBSCRIBED', 'ERROR']);
    expect(await collect(scheduler.subscribe())).toEqual(['SUBSCRIBED', 'ERROR']);
    expect(ids).toEqual([
      [undefined, undefined],
      [{ value: 'fw-1' }, { value: 'fw-1' }],
    ]);
  });

  it("follows the redirect to the leader, also Mesos' protocol-relative one, and sends calls there", async () => {
    const calls: unknown[] = [];
    const leader = await master((_request, body, response) => {
      calls.push(body['type']);
      if (body['type'] === 'SUBSCRIBE') openStream(response, subscribed());
      else response.writeHead(202).end();
    });
    const standby = await master((_request, _body, response) => {
      response.writeHead(307, { Location: `//${new URL(leader).host}/api/v1/scheduler` }).end();
    });
    const scheduler = client(standby);
    for await (const event of scheduler.subscribe()) {
      expect(event.type).toBe('SUBSCRIBED');
      await scheduler.revive();
      break;
    }
    expect(calls).toEqual(['SUBSCRIBE', 'REVIVE']);
  });

  it('gives up when masters redirect to each other for ever', async () => {
    const url = await master((_request, _body, response) => {
      response.writeHead(307, { Location: '/api/v1/scheduler' }).end();
    });
    await expect(collect(client(url).subscribe())).rejects.toThrow(/redirected 5 times/);
  });

  it('counts the stream as dead after three heartbeats that did not come', async () => {
    const url = await master((_request, _body, response) => openStream(response, subscribed(0.02)));
    const scheduler = client(url);
    const events = scheduler.subscribe();
    expect((await events.next()).value).toMatchObject({ type: 'SUBSCRIBED' });
    await expect(events.next()).rejects.toThrow(/no heartbeat for 0.06 s/);
  });

  it('reports a stream that the master closed as a failure that may pass', async () => {
    const url = await master((_request, _body, response) => {
      openStream(response, subscribed());
      response.end('20\n{"type":');
    });
    const failure = await collect(client(url).subscribe()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MesosError);
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(String(failure)).toContain('cut in a record');
  });

  it('reports a stream that is none', async () => {
    const url = await master((_request, _body, response) => {
      openStream(response);
      response.end('<html>');
    });
    await expect(collect(client(url).subscribe())).rejects.toBeInstanceOf(MesosAnswerError);
  });

  it('says what a refusal said, and that it is final', async () => {
    const url = await master((_request, body, response) => {
      if (body['type'] === 'SUBSCRIBE') openStream(response, subscribed());
      else response.writeHead(400).end('Framework cannot be found');
    });
    const scheduler = client(url);
    const events = scheduler.subscribe();
    await events.next();
    await expect(scheduler.revive()).rejects.toMatchObject({
      type: 'SystemRefused',
      nonRetryable: true,
      status: 400,
      answer: 'Framework cannot be found',
    });
    await events.return();
    await expect(scheduler.revive()).rejects.toThrow(/not subscribed/);
  });

  it('ends quietly when aborted, before and after the first event', async () => {
    let streams = 0;
    const url = await master((_request, _body, response) => {
      streams += 1;
      if (streams === 1) openStream(response, subscribed());
    });
    const first = new AbortController();
    const types: string[] = [];
    for await (const event of client(url).subscribe(first.signal)) {
      types.push(event.type);
      first.abort();
    }
    expect(types).toEqual(['SUBSCRIBED']);
    const second = new AbortController();
    const waiting = collect(client(url).subscribe(second.signal));
    second.abort();
    expect(await waiting).toEqual([]);
  });

  it('gives up on a master that takes the connection and says nothing', async () => {
    const url = await master(() => undefined);
    const scheduler = new SchedulerClient({ master: url, frameworkInfo, timeoutMs: 50 });
    await expect(collect(scheduler.subscribe())).rejects.toThrow(/no answer within 50 ms/);
  });

  it('passes over event types it does not know', async () => {
    const url = await master((_request, _body, response) => {
      openStream(response, subscribed(), { type: 'UPDATE_OPERATION_STATUS', x: 1 });
      response.write(encodeRecord(JSON.stringify({ type: 'ERROR', error: { message: 'over' } })));
    });
    expect(await collect(client(url).subscribe())).toEqual(['SUBSCRIBED', 'ERROR']);
  });
});
