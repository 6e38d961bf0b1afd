import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { fetchFailureReason } from './fetch-failure.ts';

describe('the reason of a failed fetch', () => {
  it('is what really happened to a connection', async () => {
    const server = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const failed = () =>
      fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(50_000) }).catch((error: unknown) => error);
    expect(fetchFailureReason(await failed())).toBe('other side closed');
    server.close();
    await once(server, 'close');
    const error = await failed();
    expect(String(error)).toContain('fetch failed');
    expect(fetchFailureReason(error)).toContain('ECONNREFUSED');
  });

  it.each([
    [
      'the code, where the cause has no message',
      { message: 'fetch failed', cause: { message: '', code: 'EPIPE' } },
      'EPIPE',
    ],
    ['its own message, without a cause', new Error('terminated'), 'terminated'],
    ['anything that was thrown', 'a text', 'a text'],
    ['empty for nothing', undefined, ''],
  ])('is %s', (_, error, reason) => {
    expect(fetchFailureReason(error)).toBe(reason);
  });
});
