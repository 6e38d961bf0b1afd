import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../http-error.ts';

/** One request, read and taken apart. */
export interface Request {
  readonly method: string;
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

/** A boolean parameter; only `true` is true. */
export function isSet(request: Request, name: string): boolean {
  return request.query.get(name) === 'true';
}

/** The JSON of a body, or the 400 that Marathon answers. */
export function jsonBody(request: Request): unknown {
  const { text } = request;
  if (text.trim() === '') {
    const details = `No content to map due to end-of-input\n at [Source: (byte[])"${text}"; line: 1, column: 0]`;
    throw new HttpError(400, { message: 'Please specify data in JSON format', details });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const details = error instanceof SyntaxError ? parserMessage(error, text) : String(error);
    throw new HttpError(400, { message: 'Invalid JSON', details });
  }
}

/** Marathon's parser has its own words for text that ends too early; for the rest ours must do. */
function parserMessage(error: SyntaxError, text: string): string {
  if (/end of (JSON input|data)/i.test(error.message) || error.message.includes('Unterminated')) {
    return text.trimStart().startsWith('[')
      ? 'Unexpected end-of-input within/between Array entries'
      : 'Unexpected end-of-input within/between Object entries';
  }
  return error.message;
}
