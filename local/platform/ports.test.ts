import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
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
    const { first, servers } = await listenOn(60);
    process.env['SLIPWAY_PORTS'] = `${first}-${first + 59}`;
    const stay = (_: Server, index: number) => index === 19 || index === 50;
    await close(servers.filter((server, index) => !stay(server, index)));
    try {
      expect(await freePortBlock(30)).toBe(first + 20);
    } finally {
      await close(servers.filter(stay));
    }
  });
});

/** Servers on so many ports in a row, below those that others take theirs from. */
async function listenOn(count: number): Promise<{ readonly first: number; readonly servers: readonly Server[] }> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 5_000 + Math.floor(Math.random() * 6_000);
    const servers = Array.from({ length: count }, () => createServer());
    const tries = servers.map((server, index) => once(server.listen(first + index, '127.0.0.1'), 'listening'));
    const outcomes = await Promise.allSettled(tries);
    if (outcomes.every(({ status }) => status === 'fulfilled')) return { first, servers };
    await close(servers.filter(({ listening }) => listening));
  }
  throw new Error(`no ${count} ports in a row are free`);
}

async function close(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
}
