/** The little HTTP that a master and an agent need, on node:http. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, gzipSync } from 'node:zlib';
import { textOf } from '../../activities/mesos/thrown.ts';
import { IDLE_CONNECTION_MS } from '../idle-connection.ts';
import { BrokenBody, readBody } from '../request-body.ts';
import { acceptsGzip, GZIP_MINIMUM_BYTES } from './accept-encoding.ts';
import type { CellLog } from './log.ts';
import { wireJson } from './wire-json.ts';

/** Mesos has no limit of its own; a body beyond this is no call of a scheduler. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A refusal with Mesos' own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.status = status;
    this.headers = headers;
  }
}

export interface HttpRequest {
  readonly method: string;
  /** Without the query, decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Answers a request, or throws a `Refusal`; anything else thrown becomes a 500 with its message. */
export type Handler = (request: HttpRequest, response: ServerResponse) => void | Promise<void>;

export interface HttpServer {
  readonly port: number;
  /** Ends open streams too. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Taken instead of `port` when it is free: the one of an earlier run. */
  readonly preferredPort?: number | undefined;
  /** Told of what went wrong after the head of an answer was sent. */
  readonly log: CellLog;
}

export async function listen(options: ListenOptions, handler: Handler): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: IDLE_CONNECTION_MS }, (request, response) => {
    serve(request, response, handler).catch((error: unknown) => {
      options.log.warn(`${request.method} ${request.url}`, error);
      response.destroy();
    });
  });
  const bind = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, options.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  if (options.port === 0 && options.preferredPort !== undefined) {
    await bind(options.preferredPort).catch(() => bind(0));
  } else {
    await bind(options.port);
  }
  return {
    // An address after listen on a port is never a string or null.
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response: ServerResponse, value: unknown): void {
  sendBody(response, 200, 'application/json', Buffer.from(wireJson(value)));
}

/** Compressed where the client takes it and it is worth it, as libprocess does; streams never are. */
export function sendBody(response: ServerResponse, status: number, type: string, body: Buffer): void {
  const gzip = body.length >= GZIP_MINIMUM_BYTES && acceptsGzip(response.req.headers['accept-encoding']?.toString());
  const sent = gzip ? gzipSync(body, { level: constants.Z_BEST_SPEED }) : body;
  const encoding = gzip ? { 'Content-Encoding': 'gzip' } : {};
  response.writeHead(status, { 'Content-Type': type, ...encoding, 'Content-Length': String(sent.length) }).end(sent);
}

export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'Content-Length': '0' }).end();
}

async function serve(raw: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> {
  try {
    const url = urlOf(raw);
    await handler(
      {
        method: raw.method ?? 'GET',
        path: decodePath(url.pathname),
        query: url.searchParams,
        headers: raw.headers,
        body: await bodyOf(raw),
      },
      response,
    );
  } catch (error) {
    if (error instanceof BrokenBody) return;
    if (response.headersSent) throw error;
    const refusal = error instanceof Refusal ? error : undefined;
    const text = refusal === undefined ? textOf(error) : refusal.message;
    for (const [name, value] of Object.entries(refusal?.headers ?? {})) response.setHeader(name, value);
    if (text === '') sendEmpty(response, refusal?.status ?? 500);
    else sendBody(response, refusal?.status ?? 500, 'text/plain; charset=utf-8', Buffer.from(text));
  }
}

/** Several slashes at the beginning are one, as for libprocess; to URL they would begin a host. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  const parsed = URL.parse(url.replace(/^\/+/, '/'), 'http://cell');
  if (parsed === null) throw new Refusal(400, `Failed to decode URL path ${url}`);
  return parsed;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal(400, `Failed to decode URL path ${path}`);
  }
}

async function bodyOf(raw: IncomingMessage): Promise<Buffer> {
  const body = await readBody(raw, MAX_BODY_BYTES);
  if (body === undefined) throw new Refusal(413, 'Request body too large');
  return body;
}
