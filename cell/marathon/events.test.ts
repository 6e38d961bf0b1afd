import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventBus } from './events.ts';

describe('EventBus', () => {
  let bus: EventBus;
  let server: Server;
  let responses: ServerResponse[];

  beforeEach(async () => {
    bus = new EventBus(() => Date.UTC(2026, 0, 1));
    responses = [];
    server = createServer((_request, response) => {
      responses.push(response);
      bus.attach(response, [], '127.0.0.1');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    bus.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function listen(): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const [answer]: IncomingMessage[] = await once(get({ host: '127.0.0.1', port, agent: false }), 'response');
    if (!answer) throw new Error('there is no answer');
    return answer;
  }

  it('cuts off who reads too slowly, and nobody else', async () => {
    const slow = await listen();
    slow.pause();
    slow.on('error', () => undefined);
    const quick = await listen();
    let received = 0;
    quick.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const message = 'x'.repeat(16 * 1024);
    let sent = 0;
    // The machine's own buffers take some of it.
    while (sent < 65_536 && !responses[0]?.destroyed) {
      sent += 1;
      bus.publish('framework_message_event', { message });
      while (received < sent * message.length) await once(quick, 'data');
    }
    expect(sent).toBeGreaterThan(1_024);
    expect(responses.map(({ destroyed }) => destroyed)).toEqual([true, false]);
  });

  it('lets nobody fall behind who takes what comes, however much comes at once', async () => {
    const quick = await listen();
    let text = '';
    quick.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    for (let index = 0; index < 3_000; index += 1) bus.publish('app_terminated_event', { index });
    // So busy that nobody is looked after for a while.
    const busyUntil = performance.now() + 200;
    while (performance.now() < busyUntil);
    while (!text.includes('"index":2999')) await once(quick, 'data');
    expect(responses[0]?.destroyed).toBe(false);
  });
});
