import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaultBoard } from '../../faults/board.ts';
import { faultyListener } from '../../faults/marathon-faults.ts';
import type { CellLog } from '../../mesos/log.ts';
import { BrokenBody, readBody } from '../../request-body.ts';
import { HttpError, NothingToChange, OriginalFault } from '../http-error.ts';
import type { Profile } from '../profile.ts';
import { type Answer, type Request, type Route, STREAMING } from './exchange.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const BODY_METHODS = new Set(['POST', 'PUT', 'PATCH']);

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: CellLog;
  readonly faults?: FaultBoard | undefined;
  readonly profile: Profile;
}

/** The HTTP face of Marathon: finds the route, holds to its rules of media types, answers errors in its words. */
export class HttpServer {
  readonly #server: Server;
  readonly #options: HttpServerOptions;
  #routes: readonly Route[] = [];
  #origin = '';
  #leads = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = createServer(faultyListener(options.faults, (request, response) => this.#serve(request, response)));
  }

  /** Listens; the routes come with `serve`, once everything behind them stands. Answers `host:port`. */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const origin = `${host}:${(this.#server.address() as AddressInfo).port}`;
    this.#origin = origin;
    return origin;
  }

  /** @param leads whether answers name this Marathon as the leader */
  serve(routes: readonly Route[], { leads }: { readonly leads: boolean }): void {
    this.#routes = routes;
    this.#leads = leads;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer | typeof STREAMING;
    try {
      answer = await this.#answer(incoming, response);
    } catch (error) {
      if (error instanceof BrokenBody) return;
      if (!(error instanceof HttpError)) this.#options.log.warn(`${incoming.method} ${incoming.url} failed`, error);
      answer =
        error instanceof HttpError
          ? this.#answerTo(error)
          : { status: 500, body: { message: error instanceof Error ? error.message : String(error) } };
    }
    if (answer !== STREAMING) this.#send(incoming, response, answer);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<Answer | typeof STREAMING> {
    const uri = incoming.url ?? '/';
    const [rawPath = '/', search = ''] = uri.split('?', 2);
    const path = decoded(rawPath).replace(/(?<=.)\/+$/, '');
    const method = incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? 'GET');
    for (const route of this.#routes) {
      const match = route.path.exec(path);
      if (!match) continue;
      const handler = route.handlers[method];
      if (!handler) throw new HttpError(405, { message: 'Method Not Allowed' });
      const request: Request = {
        method,
        path,
        uri: rawPath,
        query: new URLSearchParams(search),
        headers: incoming.headers,
        clientIp: incoming.socket.remoteAddress ?? '',
        text: '',
        response,
      };
      checkMediaTypes(request);
      const text = await readText(incoming);
      return handler({ ...request, text }, ...match.slice(1).map((part) => part ?? ''));
    }
    throw new HttpError(this.#options.profile.unroutedStatus, { message: 'URI not found' });
  }

  #answerTo(error: HttpError): Answer {
    const { faultStatus, notFoundHasDetails } = this.#options.profile;
    if (error instanceof OriginalFault) return { status: faultStatus, body: error.body };
    const detailed = notFoundHasDetails && error.status === 404 && !(error instanceof NothingToChange);
    return { status: error.status, body: { ...error.body, ...(detailed ? { details: [] } : {}) } };
  }

  #send(incoming: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const { status, body, contentType } = answer;
    const text = body === undefined ? '' : contentType ? String(body) : JSON.stringify(body);
    response.writeHead(status, {
      ...(this.#leads ? { 'X-Marathon-Leader': `http://${this.#origin}` } : {}),
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Expires: '0',
      ...(incoming.method === 'GET' && status === 200 ? { Vary: 'Accept-Encoding, User-Agent' } : {}),
      ...(body === undefined ? {} : { 'Content-Type': contentType ?? 'application/json' }),
      'Content-Length': Buffer.byteLength(text),
      ...answer.headers,
    });
    response.end(incoming.method === 'HEAD' ? '' : text);
  }
}

function checkMediaTypes(request: Request): void {
  const type = request.headers['content-type'];
  if (BODY_METHODS.has(request.method) && type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpError(415, { message: 'Unsupported Media Type' });
  }
  const accept = request.headers.accept ?? '*/*';
  if (!/application\/(json|\*)|\*\/\*|text\/(plain|event-stream)/i.test(accept)) {
    throw new HttpError(406, { message: 'Not Acceptable' });
  }
}

/** The body as text, where the method has one to read. */
async function readText(incoming: IncomingMessage): Promise<string> {
  const body = await readBody(incoming, MAX_BODY_BYTES);
  if (body === undefined) throw new HttpError(413, { message: 'Request Entity Too Large' });
  if (!BODY_METHODS.has(incoming.method ?? '')) return '';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new HttpError(400, { message: 'Invalid JSON', details: 'Invalid UTF-8' });
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new HttpError(400, { message: `Bad Request: ${path} is not a valid path` });
  }
}
