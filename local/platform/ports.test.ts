import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, freePortBlock } from './ports.ts';

const range = process.env['SLIPWAY_PORTS'];

afterEach(() => {
  if (range === undefined) delete process.env['SLIPWAY_PORTS'];
  else process.env['SLIPWAY_PORTS'] = range;
});

describe('freePort', () => {
  it('keeps to the range it is given', async () => {
    process.env['SLIPWAY_PORTS'] = '28000-28099';
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    expect(ports.every((port) => port >= 28_000 && port <= 28_099)).toBe(true);
  });

  it.each(['28000', '28099-28000', 'any', '60000-70000'])('refuses the range %s', async (said) => {
    process.env['SLIPWAY_PORTS'] = said;
    await expect(freePort()).rejects.toThrow('SLIPWAY_PORTS');
  });

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

  it('finds the one place where a block is free, however often it looks in vain', async () => {
    process.env['SLIPWAY_PORTS'] = '11000-11059';
    const listening = [11_019, 11_050].map((port) => createServer().listen(port, '127.0.0.1'));
    await Promise.all(listening.map((server) => once(server, 'listening')));
    try {
      expect(await freePortBlock(30)).toBe(11_020);
    } finally {
      await Promise.all(listening.map((server) => once(server.close(), 'close')));
    }
  });
});
