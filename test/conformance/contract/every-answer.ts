import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { SHARED } from '../../shared.ts';
import { Overheard } from './overheard.ts';

/**
 * Jest runs this before each file of the suite. Every answer and every event of every Marathon is held to the published
 * types, whoever asked: of one in this process where it leaves the server, so that clients in other processes are no
 * exception; of one in a process of its own where it arrives. Nothing is checked where the types can't be read.
 */

const SERVED = 'http.server.request.start';
const ARRIVED = 'http.client.response.finish';
const LEADER = 'x-marathon-leader';

const servers = new Map<Server, Overheard>();
const afar = new Map<string, Overheard>();

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

interface Arrived {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

function kept<K>(all: Map<K, Overheard>, key: K): Overheard {
  const known = all.get(key) ?? new Overheard();
  all.set(key, known);
  return known;
}

/** Hears what is written; a stream, which may never end, piece by piece. */
function whatLeaves(message: unknown): void {
  const { request, response, server } = message as Served;
  const { method = '', url: path = '' } = request;
  const overheard = kept(servers, server);
  const pieces: Buffer[] = [];
  const heads = new Map<string, string>();
  const tell = () => {
    for (const [name, value] of Object.entries(response.getHeaders())) heads.set(name, String(value));
    const text = Buffer.concat(pieces.splice(0)).toString('utf8');
    const contentType = heads.get('content-type') ?? '';
    overheard.answer({ method, path, status: response.statusCode, contentType, text }, heads.has(LEADER));
  };
  const piece = (chunk: unknown) => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) pieces.push(Buffer.from(chunk));
  };
  /** Acts before or after the original does. */
  const wrap = (name: 'writeHead' | 'write' | 'end', before: (chunk: unknown) => void, after = () => undefined) => {
    const original = response[name].bind(response) as (...args: unknown[]) => unknown;
    Reflect.set(response, name, (...args: unknown[]) => {
      before(name === 'writeHead' ? args.at(-1) : args[0]);
      const result = original(...args);
      after();
      return result;
    });
  };
  // Headers that go out with the status are not kept by the response.
  wrap('writeHead', (headers) => {
    for (const [name, value] of Object.entries(headers instanceof Object ? headers : {})) {
      heads.set(name.toLowerCase(), String(value));
    }
  });
  wrap('write', piece, () => void (heads.get('content-type')?.startsWith('text/event-stream') && tell()));
  wrap('end', piece, () => void tell());
}

/** Hears what comes from another process; what this one serves was heard when it left. */
function whatArrives(message: unknown): void {
  const { request, response } = message as Arrived;
  const host = String(request.getHeader('host'));
  const isOurs = [...servers.keys()].some((server) => {
    const address = server.address();
    return address instanceof Object && host.endsWith(`:${address.port}`);
  });
  if (isOurs) return;
  const overheard = kept(afar, host);
  const pieces: Buffer[] = [];
  const { headers, statusCode: status = 0 } = response;
  const { method, path } = request;
  const contentType = headers['content-type'] ?? '';
  const tell = () => {
    const text = Buffer.concat(pieces.splice(0)).toString('utf8');
    overheard.answer({ method, path, status, contentType, text }, LEADER in headers);
  };
  // To read it would take it from its reader.
  const push = response.push.bind(response);
  response.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) pieces.push(Buffer.from(chunk));
    if (chunk === null && response.complete) tell();
    return push(chunk, encoding);
  };
}

if (SHARED !== undefined) {
  beforeAll(() => {
    subscribe(SERVED, whatLeaves);
    subscribe(ARRIVED, whatArrives);
  });
  afterAll(() => {
    unsubscribe(SERVED, whatLeaves);
    unsubscribe(ARRIVED, whatArrives);
    const breaches = [...servers.values(), ...afar.values()].flatMap((overheard) => overheard.breaches);
    expect(breaches).toEqual([]);
  });
}
