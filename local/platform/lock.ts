import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { SetupError } from '../setup-error.ts';

/** Held until released or until the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock of a directory. It is a listening socket in Linux's abstract namespace (unix(7)), which the kernel
 * drops with the process: a killed launcher leaves no stale lock. Who connects is told the holder's pid.
 * @throws {SetupError} naming the pid of the holder.
 */
export async function acquireLock(directory: string): Promise<Lock> {
  const address = `\0slipway-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid));
  });
  if (!(await listen(server, address))) {
    throw new SetupError(`pid ${await holderOf(address)} works on ${directory} already: end it first (Ctrl-C)`);
  }
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function listen(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(false);
      } else {
        reject(error);
      }
    });
    server.listen({ path: address }, () => resolve(true));
  });
}

async function holderOf(address: string): Promise<string> {
  const socket = connect({ path: address });
  socket.setTimeout(2000, () => socket.destroy(new Error('no answer')));
  try {
    return await text(socket);
  } catch {
    // It ended, or is too busy to answer; the lock was held all the same.
    return 'unknown';
  }
}
