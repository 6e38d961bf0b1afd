import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupError } from '../setup-error.ts';

/** Held until released or until the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/** How long a holder that does not answer is waited for: it may be on its way out. */
const DYING_WITHIN_MS = 3000;
const RETRY_EVERY_MS = 50;

/**
 * Takes the lock of a directory. It is a listening socket in Linux's abstract namespace (unix(7)), which the kernel
 * drops with the process: a killed launcher leaves no stale lock. Who connects is told the holder's pid.
 * @throws {SetupError} naming the pid of the holder.
 */
export async function acquireLock(directory: string): Promise<Lock> {
  const address = `\0slipway-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  const deadline = performance.now() + DYING_WITHIN_MS;
  for (;;) {
    const server = await listen(address);
    if (server !== undefined) {
      server.unref();
      return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    }
    const holder = await holderOf(address);
    if (holder !== undefined || performance.now() >= deadline) {
      throw new SetupError(`pid ${holder ?? 'unknown'} works on ${directory} already: end it first (Ctrl-C)`);
    }
    await delay(RETRY_EVERY_MS);
  }
}

/** A server at the address that tells this process's pid; undefined if somebody else listens there. */
function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(undefined);
      } else {
        reject(error);
      }
    });
    server.listen({ path: address }, () => resolve(server));
  });
}

/** The pid of the holder; undefined if it ended meanwhile or does not answer. */
async function holderOf(address: string): Promise<string | undefined> {
  const socket = connect({ path: address });
  socket.setTimeout(1000, () => socket.destroy(new Error('no answer')));
  try {
    return (await text(socket)) || undefined;
  } catch {
    return undefined;
  }
}
