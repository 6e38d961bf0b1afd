import type { IncomingMessage, ServerResponse } from 'node:http';
import { MAX_JSON_DEPTH, nestsDeeper } from '../../request-body.ts';
import { HttpError } from '../http-error.ts';
import { parserWords } from './parser-words.ts';

/** One request, read and taken apart. */
export interface Request {
  readonly method: string;
  /** A HEAD that is answered as if it were a GET. */
  readonly isHead: boolean;
  /** Decoded, without query and without a slash at its end. */
  readonly path: string;
  /** As the client wrote it, query included. */
  readonly uri: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly clientIp: string;
  readonly text: string;
  /** For answers that are streams. */
  readonly response: ServerResponse;
}

/** An answer; `STREAMING` where the handler took the response into its own hands. */
export interface Answer {
  readonly status: number;
  /** JSON, or text with `contentType`; nothing when absent. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const STREAMING = Symbol('streaming');

export type Handler = (request: Request, ...parts: string[]) => Answer | typeof STREAMING | Promise<Answer>;

/** A path with groups that become arguments of the handlers, by method. */
export interface Route {
  readonly path: RegExp;
  readonly handlers: Readonly<Record<string, Handler>>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

/** The answer to a change: what it started, also as a header. */
export function started(
  result: { readonly version: string; readonly deploymentId: string },
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { version, deploymentId } = result;
  return { status, body: { version, deploymentId }, headers: { ...headers, 'Marathon-Deployment-Id': deploymentId } };
}

/** A boolean parameter as Java reads it: `true` in any case, so also the `True` of Python's clients, is true. */
export function isSet(request: Pick<Request, 'query'>, name: string, whenAbsent = false): boolean {
  const value = request.query.get(name);
  return value === null ? whenAbsent : value.toLowerCase() === 'true';
}

/** The JSON of a body, or the 400 that Marathon answers. */
export function jsonBody(request: Request): unknown {
  const { text } = request;
  if (text.trim() === '') {
    const details = `No content to map due to end-of-input\n at [Source: (byte[])"${text}"; line: 1, column: 0]`;
    throw new HttpError(400, { message: 'Please specify data in JSON format', details });
  }
  if (nestsDeeper(text, MAX_JSON_DEPTH)) {
    throw new HttpError(400, { message: 'Invalid JSON', details: `nests deeper than ${MAX_JSON_DEPTH} levels` });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const details = error instanceof SyntaxError ? parserWords(text) : String(error);
    throw new HttpError(400, { message: 'Invalid JSON', details });
  }
}
