import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Docker from 'dockerode';
import { copyLogs } from './docker-logs.ts';

let directory: string;
let engine: Server;
/** Requests that the engine was asked. */
let asked: number;
let readable: boolean;
let container: Docker.Container;

/** Of the engine's log: 1 is stdout, 2 is stderr; then three bytes of nothing and the length. */
function frame(stream: 1 | 2, text: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(stream, 0);
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-logs-'));
  const socketPath = join(directory, 'engine.sock');
  [asked, readable] = [0, true];
  engine = createServer((_request, response) => {
    asked += 1;
    if (!readable) {
      const message = 'configured logging driver does not support reading';
      response.writeHead(501, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
      return;
    }
    response.write(frame(1, 'said\n'));
    response.end(frame(2, 'complained\n'));
  });
  await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
  container = new Docker({ socketPath }).getContainer('c');
});
afterEach(async () => {
  engine.closeAllConnections();
  await new Promise((resolve) => engine.close(resolve));
  rmSync(directory, { recursive: true });
});

describe('the log of a container', () => {
  const warned: string[] = [];
  const log = { info: () => undefined, warn: (_what: string, error: unknown) => warned.push(String(error)) };
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');

  it('goes into its sandbox, once however often it is copied', async () => {
    await copyLogs(container, directory, log).finished();
    await copyLogs(container, directory, log).finished();
    expect([read('stdout'), read('stderr'), warned]).toEqual(['said\n', 'complained\n', []]);
  });

  it('that the engine does not keep is asked for once', async () => {
    readable = false;
    const warning = Promise.withResolvers<unknown>();
    const copy = copyLogs(container, directory, { ...log, warn: (_what, error) => warning.resolve(error) });
    expect(String(await warning.promise)).toContain('does not support reading');
    await new Promise(setImmediate);
    await copy.finished();
    expect(asked).toBe(1);
  });

  it('that can not be written is told, and nothing else comes of it', async () => {
    mkdirSync(join(directory, 'stdout'));
    await copyLogs(container, directory, log).finished();
    expect(read('stderr')).toBe('complained\n');
    expect(warned).toEqual([expect.stringContaining('EISDIR')]);
  });
});
