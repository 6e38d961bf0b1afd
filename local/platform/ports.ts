import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Ports are taken from below the range from which Linux serves outgoing connections (32768 up) and below the range
 * that Mesos agents offer by default (31000 up): so a port stays free while its process restarts.
 */
const DEFAULT_RANGE = '12000-29999';
const ATTEMPTS = 1000;

const handedOut = new Set<number>();

/**
 * The range from which ports are taken: `SLIPWAY_PORTS`, such as `12000-20999`, keeps launchers apart that start side
 * by side and would else find the same port free at the same moment.
 */
function range(): { readonly lowest: number; readonly highest: number } {
  const said = process.env['SLIPWAY_PORTS'] ?? DEFAULT_RANGE;
  const [lowest = Number.NaN, highest = Number.NaN] = said.split('-').map(Number);
  if (!(lowest > 0 && lowest < highest && highest < 65_536)) {
    throw new Error(`SLIPWAY_PORTS is ${said}: write a range of ports, such as ${DEFAULT_RANGE}`);
  }
  return { lowest, highest };
}

/** A port of 127.0.0.1 that is free for TCP and UDP now and that this process has not handed out before. */
export async function freePort(): Promise<number> {
  return freePortBlock(1);
}

/** The first of `count` free ports in a row, none of them handed out before. */
export async function freePortBlock(count: number): Promise<number> {
  const { lowest, highest } = range();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count + 2));
    const block = Array.from({ length: count }, (_, index) => first + index);
    if (block.some((port) => handedOut.has(port))) {
      continue;
    }
    // Held while they are tried, so that nobody else is given one meanwhile.
    for (const port of block) {
      handedOut.add(port);
    }
    if (await areFree(block)) {
      return first;
    }
    for (const port of block) {
      handedOut.delete(port);
    }
  }
  throw new Error(`no ${count} free ports in a row between ${lowest} and ${highest} on 127.0.0.1`);
}

/** Tried one after the other, since most blocks that are not free show it early. */
async function areFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    if (!(await isFree(port))) {
      return false;
    }
  }
  return true;
}

async function isFree(port: number): Promise<boolean> {
  return (await isFreeForTcp(port)) && (await isFreeForUdp(port));
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
