import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort, freePortBlock } from './ports.ts';

describe('freePort', () => {
  it('never hands a port out twice, and each can be listened on', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    expect(new Set(ports).size).toBe(50);
    const [port] = ports;
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('freePortBlock', () => {
  it('keeps its whole block from being handed out again', async () => {
    const first = await freePortBlock(100);
    const second = await freePortBlock(100);
    expect(Math.abs(first - second)).toBeGreaterThanOrEqual(100);
  });
});
