import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaultBoard } from '../../faults/board.ts';
import { faultyListener } from '../../faults/marathon-faults.ts';
import { IDLE_CONNECTION_MS } from '../../idle-connection.ts';
import type { CellLog } from '../../mesos/log.ts';
import { BrokenBody, readBody } from '../../request-body.ts';
import { HttpError, NothingToChange, OriginalFault } from '../http-error.ts';
import type { Profile } from '../profile.ts';
import { type Answer, type Request, type Route, STREAMING } from './exchange.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Of Jetty, Marathon's web server. Node itself refuses heads of twice that. */
const MAX_HEAD_BYTES = 8 * 1024;
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
    this.#server = createServer(
      { keepAliveTimeout: IDLE_CONNECTION_MS },
      faultyListener(options.faults, (request, response) => this.#serve(request, response)),
    );
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

  /** @param read the body, where it has been read already */
  async #answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    read?: string,
  ): Promise<Answer | typeof STREAMING> {
    const uri = incoming.url ?? '/';
    if (uri.length > MAX_HEAD_BYTES) return URI_TOO_LONG;
    const [rawPath = '/', search = ''] = uri.split('?', 2);
    // Parameters of path segments are taken off.
    const path = decoded(rawPath.replaceAll(/;[^/]*/g, '')).replace(/(?<=.)\/+$/, '');
    const method = incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? 'GET');
    for (const route of this.#routes) {
      const match = route.path.exec(path);
      if (!match) continue;
      if (method === 'OPTIONS') return optionsOf(route);
      const handler = route.handlers[method];
      if (!handler) throw new HttpError(405, { message: 'Method Not Allowed' });
      const request: Request = {
        method,
        isHead: incoming.method === 'HEAD',
        path,
        uri: rawPath,
        query: new URLSearchParams(search),
        headers: incoming.headers,
        clientIp: incoming.socket.remoteAddress ?? '',
        text: '',
        response,
      };
      checkMediaTypes(request);
      const text = read ?? (await readText(incoming));
      // Leadership changed while the body came: whoever answers now decides.
      if (!this.#routes.includes(route)) return this.#answer(incoming, response, text);
      // For streams, which send their own heads.
      for (const [name, value] of Object.entries(this.#everywhere())) response.setHeader(name, value);
      return handler({ ...request, text }, ...match.slice(1).map((part) => part ?? ''));
    }
    throw new HttpError(this.#options.profile.unroutedStatus, { message: 'URI not found' });
  }

  /** Headers of every answer. */
  #everywhere(): Readonly<Record<string, string>> {
    const { forbidsFrames } = this.#options.profile;
    return {
      ...(this.#leads ? { 'X-Marathon-Leader': `http://${this.#origin}` } : {}),
      ...(forbidsFrames ? { 'X-Frame-Options': 'DENY', 'X-XSS-Protection': '1; mode=block' } : {}),
    };
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
    // What may be compressed depends on who asks.
    const compressible = incoming.method === 'GET' && status === 200;
    const vary = [answer.headers?.['Vary'] ?? [], compressible ? 'Accept-Encoding, User-Agent' : []].flat();
    response.writeHead(status, {
      ...this.#everywhere(),
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Expires: '0',
      ...(body === undefined ? {} : { 'Content-Type': contentType ?? 'application/json' }),
      'Content-Length': Buffer.byteLength(text),
      ...answer.headers,
      ...(vary.length > 0 ? { Vary: vary.join(', ') } : {}),
    });
    response.end(incoming.method === 'HEAD' ? '' : text);
  }
}

const URI_TOO_LONG: Answer = {
  status: 414,
  body: '<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>',
  contentType: 'text/html;charset=iso-8859-1',
  headers: { Connection: 'close' },
};

/** Which methods there are. The original adds a description in WADL; here it names the methods alone. */
function optionsOf({ handlers }: Route): Answer {
  const methods = [...Object.keys(handlers), ...('GET' in handlers ? ['HEAD'] : []), 'OPTIONS'];
  const described = methods.map((name) => `<method name="${name}"/>`).join('');
  return {
    status: 200,
    body: `<application xmlns="http://wadl.dev.java.net/2009/02"><resources><resource>${described}</resource></resources></application>`,
    contentType: 'application/vnd.sun.wadl+xml',
    headers: { Allow: methods.join(',') },
  };
}

/** What is not JSON alone. The stream of events has rules of its own. */
const MORE_TYPES = [
  { path: /^\/ping$|\/tasks$/, types: /text\/plain/i },
  { path: /^\/v2\/events$/, types: /^/ },
];

function checkMediaTypes(request: Request): void {
  const type = request.headers['content-type'];
  if (BODY_METHODS.has(request.method) && type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpError(415, { message: 'Unsupported Media Type' });
  }
  const accept = request.headers.accept ?? '*/*';
  const more = MORE_TYPES.find(({ path }) => path.test(request.path));
  if (!/application\/(json|\*)|\*\/\*/i.test(accept) && !more?.types.test(accept)) {
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
