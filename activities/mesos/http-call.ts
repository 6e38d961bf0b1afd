/** HTTP to Mesos: exact headers, a deadline for every answer, the leader found by its redirects. */

import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { MesosError } from './errors.ts';
import { textOf } from './thrown.ts';

/** A master that does not lead answers 307; more hops than this mean that nobody leads. */
const MAX_REDIRECTS = 5;

export interface HttpCall {
  readonly url: string;
  /** For error messages, such as `operator call GET_AGENTS`. */
  readonly call: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** Until the head of the answer is there; for `callHttp` until its whole body is. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** How `callHttp` reads the body; default utf8. With latin1 each byte is one character. */
  readonly encoding?: 'utf8' | 'latin1' | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Where the answer came from after redirects. */
  readonly url: string;
}

export interface HttpStream {
  readonly response: IncomingMessage;
  readonly status: number;
  readonly url: string;
}

/**
 * Sends a call and returns as soon as the head of the answer is there; the caller reads, or destroys, the response.
 * Follows 307 with absolute, protocol-relative (`//host:port/path`, what Mesos sends) and relative locations.
 * Rejects with a retryable `MesosError` when there is no answer in time; with the signal's reason when aborted.
 */
export async function openHttp(call: HttpCall): Promise<HttpStream> {
  let url = call.url;
  for (let hop = 0; ; hop += 1) {
    const response = await send({ ...call, url });
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (status !== 307 || location === undefined) return { response, status, url };
    response.resume();
    if (hop === MAX_REDIRECTS) {
      throw new MesosError({
        url: call.url,
        call: call.call,
        answer: `redirected ${MAX_REDIRECTS} times, last to ${location}`,
        advice: 'No master seems to lead; check ZooKeeper',
      });
    }
    url = new URL(location, url).toString();
  }
}

/** Sends a call and reads the whole answer, whatever its status. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(call.timeoutMs);
  const { response, status, url } = await openHttp(call);
  const stop = () => response.destroy(new Error(`the answer was not complete after ${call.timeoutMs} ms`));
  deadline.addEventListener('abort', stop, { once: true });
  if (deadline.aborted) stop();
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    return { status, headers: response.headers, body: Buffer.concat(chunks).toString(call.encoding ?? 'utf8'), url };
  } catch (cause) {
    call.signal?.throwIfAborted();
    throw new MesosError({ url, call: call.call, answer: textOf(cause), cause });
  } finally {
    deadline.removeEventListener('abort', stop);
  }
}

function send(call: HttpCall): Promise<IncomingMessage> {
  call.signal?.throwIfAborted();
  const url = new URL(call.url);
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const body = call.body === undefined ? undefined : Buffer.from(call.body, 'utf8');
  return new Promise((resolve, reject) => {
    // agent: false, a connection of its own for each call: a kept connection may be closed by the other side just
    // when we write, and calls such as ACCEPT must not be repeated blindly.
    const request = start(url, {
      method: call.method,
      agent: false,
      headers: { ...call.headers, ...(body === undefined ? {} : { 'Content-Length': String(body.length) }) },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${call.timeoutMs} ms`)), call.timeoutMs);
    request.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.on('error', (cause) => {
      clearTimeout(timer);
      if (call.signal?.aborted) reject(call.signal.reason);
      else {
        reject(
          new MesosError({
            url: call.url,
            call: call.call,
            answer: textOf(cause),
            advice: 'Check that the address is right and that it is up',
            cause,
          }),
        );
      }
    });
    request.end(body);
  });
}
