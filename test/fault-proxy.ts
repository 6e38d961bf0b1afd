import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What goes wrong with a request:
 * - `503-before`: answered with 503, never forwarded: nothing happened.
 * - `503-after`: forwarded, the answer awaited and thrown away, answered with 503: it happened, but nobody says so.
 * - `drop`: the connection is reset, nothing is forwarded.
 * - `drop-after`: forwarded, the answer awaited and thrown away, then the connection is reset.
 * - `delay`: forwarded after `delayMs`.
 * - `hold`: forwarded when the rule is taken away.
 * - `hang`: never forwarded, never answered, until the client gives up or the proxy stops.
 * - `hang-after`: forwarded, the answer awaited and thrown away, never answered.
 */
export type FaultKind = '503-before' | '503-after' | 'drop' | 'drop-after' | 'delay' | 'hold' | 'hang' | 'hang-after';

/** Which requests are hit, how often and by what. The first rule that matches and has hits left is the one. */
export interface FaultRule {
  readonly kind: FaultKind;
  /** All methods when absent. */
  readonly method?: string;
  /** Tested against path and query, such as `/^\/v2\/apps\?/`; all paths when absent. */
  readonly path?: RegExp;
  /** How many requests it hits; without end when absent. */
  readonly times?: number;
  /** For `delay`. */
  readonly delayMs?: number;
  /** Another status for `503-before` and `503-after`, such as 500. */
  readonly status?: number;
}

/** A rule at work. */
export interface ArmedFault {
  readonly rule: FaultRule;
  /** How many requests it has hit so far. */
  readonly hits: number;
  /** Takes the rule away; requests that hang already go on hanging, those that are held are forwarded. */
  disarm(): void;
}

/** One request as the proxy saw it. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The fault that hit it, if any. */
  readonly fault: FaultKind | undefined;
}

export interface FaultProxy {
  /** Address to give to the client under test, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Every request since the start, oldest first. */
  readonly requests: readonly ProxiedRequest[];
  arm(rule: FaultRule): ArmedFault;
  /** Takes all rules away. */
  disarmAll(): void;
  /** Points the proxy at another server, for instance one that was started anew on another port. */
  retarget(target: string): void;
  /** Ends every connection and the proxy. */
  stop(): Promise<void>;
}

interface Fault {
  readonly rule: FaultRule;
  hits: number;
  /** What it holds goes on when this resolves. */
  readonly over: PromiseWithResolvers<void>;
}

/**
 * A reverse proxy on a free port of 127.0.0.1 that passes everything on, streams included, and fails where rules say
 * so. Without rules it changes nothing but the connection: method, path, headers (`Host` too) and bodies stay.
 */
export async function startFaultProxy(options: { readonly target: string }): Promise<FaultProxy> {
  let target = new URL(options.target);
  const requests: ProxiedRequest[] = [];
  let faults: Fault[] = [];

  const server = createServer((request, response) => {
    const method = request.method ?? '';
    const path = request.url ?? '';
    const fault = faults.find(
      ({ rule, hits }) =>
        hits < (rule.times ?? Number.POSITIVE_INFINITY) &&
        (rule.method === undefined || rule.method === method) &&
        (rule.path === undefined || rule.path.test(path)),
    );
    if (fault) fault.hits += 1;
    requests.push({ method, path, fault: fault?.rule.kind });
    handle(fault, target, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    arm(rule) {
      const fault: Fault = { rule, hits: 0, over: Promise.withResolvers() };
      faults.push(fault);
      return {
        rule,
        get hits() {
          return fault.hits;
        },
        disarm() {
          faults = faults.filter((other) => other !== fault);
          fault.over.resolve();
        },
      };
    },
    disarmAll() {
      for (const { over } of faults.splice(0)) over.resolve();
    },
    retarget(url) {
      target = new URL(url);
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function handle(fault: Fault | undefined, target: URL, request: IncomingMessage, response: ServerResponse): void {
  const rule = fault?.rule;
  const refuse = () => {
    response.writeHead(rule?.status ?? 503, { 'Content-Type': 'application/json' });
    response.end('{"message":"fault proxy"}');
  };
  switch (rule?.kind) {
    case undefined:
      pass(target, request, response);
      return;
    case '503-before':
      request.resume();
      request.on('end', refuse);
      return;
    case '503-after':
      swallow(target, request, response, refuse);
      return;
    case 'drop':
      request.socket.resetAndDestroy();
      return;
    case 'drop-after':
      swallow(target, request, response, () => request.socket.resetAndDestroy());
      return;
    case 'delay': {
      const timer = setTimeout(() => pass(target, request, response), rule.delayMs ?? 0);
      response.on('close', () => clearTimeout(timer));
      return;
    }
    case 'hold':
      void fault?.over.promise.then(() => {
        if (!response.destroyed) pass(target, request, response);
      });
      return;
    case 'hang':
      request.resume();
      return;
    case 'hang-after':
      swallow(target, request, response, () => {});
      return;
  }
}

/** Forwards the request and streams the answer back; an answer that breaks off breaks off here too. */
function pass(target: URL, request: IncomingMessage, response: ServerResponse): void {
  const forwarded = forward(target, request, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
    response.flushHeaders();
    answer.pipe(response);
    answer.on('error', () => response.destroy());
    answer.on('aborted', () => response.destroy());
  });
  // The target itself is not there or broke the connection: the client sees the same.
  forwarded.on('error', () => request.socket.destroy());
  response.on('close', () => forwarded.destroy());
}

/** Forwards the request, reads the answer to its end without giving it to the client, then calls `then`. */
function swallow(target: URL, request: IncomingMessage, response: ServerResponse, then: () => void): void {
  const forwarded = forward(target, request, (answer) => {
    answer.resume();
    answer.on('end', () => {
      if (!response.destroyed) then();
    });
  });
  forwarded.on('error', () => request.socket.destroy());
}

function forward(target: URL, request: IncomingMessage, onAnswer: (answer: IncomingMessage) => void) {
  const forwarded = httpRequest(
    {
      hostname: target.hostname,
      port: target.port,
      method: request.method,
      path: target.pathname.replace(/\/$/, '') + request.url,
      headers: request.rawHeaders,
      // One connection a request, so that a target that goes away leaves no stale ones behind.
      agent: false,
    },
    onAnswer,
  );
  request.pipe(forwarded);
  return forwarded;
}
