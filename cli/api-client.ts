import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import { type ProblemDocument, problemSchema } from '../domain/schemas/api.ts';
import type { Language } from './messages.ts';

/** Longer than the API itself takes for its slowest answer, which is a plan. */
const TIMEOUT_MS = 75_000;
/** How often a request is sent that the API can't answer for now. */
const ATTEMPTS = 3;
/**
 * How long it is tried while there is no API. One that is started again first gives the answers under way, for up to
 * 10 s, and takes connections some seconds later.
 */
const AWAY_MS = 20_000;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 2_000;

/** The API refused a request; `problem` tells why. */
export class ApiRefusal extends Error {
  readonly problem: ProblemDocument;

  constructor(problem: ProblemDocument) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = 'ApiRefusal';
    this.problem = problem;
  }
}

/** The API could not be asked, or did not answer as the API does. */
export class ApiUnreachable extends Error {
  /** True where an API that is started again looks so. */
  readonly away: boolean;

  constructor(url: string, reason: string, { away = false, cause }: { away?: boolean; cause?: unknown } = {}) {
    super(`the API at ${url} ${reason}; check --api or SLIPWAY_API`, { cause });
    this.name = 'ApiUnreachable';
    this.away = away;
  }
}

export interface ApiClientOptions {
  /** Such as `http://127.0.0.1:8090`. */
  readonly url: string;
  readonly token: string;
  readonly language: Language;
  /** Ends every request. */
  readonly interrupted: AbortSignal;
  /** Told once a request why there is no API for now; it is tried on. */
  readonly onAway?: (reason: string) => void;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  /** Makes it safe to send the same command again. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** HTTP to the API: its token, its problem documents, its schemas. */
export class ApiClient {
  private readonly options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.options = { ...options, url: options.url.replace(/\/+$/, '') };
  }

  /**
   * Sends a request and reads the answer by its schema. Tries again, a few times, what did not come through or was
   * answered 503 or 504, and for some seconds while there is no API: every command carries a key, so it counts once.
   *
   * @throws ApiRefusal, ApiUnreachable
   */
  async call<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    request: ApiRequest = {},
  ): Promise<z.output<Schema>> {
    let inVain = 0;
    let awaySince: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await this.open(path, request, AbortSignal.timeout(TIMEOUT_MS));
        const parsed = schema.safeParse(await response.json());
        if (parsed.success) return parsed.data;
        throw new ApiUnreachable(this.options.url, `answered ${path} in a form this version does not know`, {
          cause: parsed.error,
        });
      } catch (error) {
        if (error instanceof ApiUnreachable && error.away) {
          const now = performance.now();
          if (awaySince === undefined) this.options.onAway?.(error.message);
          awaySince ??= now;
          if (now - awaySince > AWAY_MS) throw error;
        } else {
          inVain += 1;
          if (!mayPass(error) || inVain === ATTEMPTS) throw error;
        }
        const pause = Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS);
        await sleep(pause, undefined, { signal: this.options.interrupted });
      }
    }
  }

  /** Sends a request and gives the answer with its body still to be read. Refusals are thrown. */
  async open(
    path: string,
    { method = 'GET', body, key, signal }: ApiRequest,
    timeout?: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const { url, token, language, interrupted } = this.options;
    const signals = [interrupted, signal, timeout].filter((each) => each !== undefined);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'accept-language': language,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any(signals),
    }).catch((error: unknown) => {
      interrupted.throwIfAborted();
      signal?.throwIfAborted();
      throw new ApiUnreachable(
        url,
        timeout?.aborted ? `gave no answer in ${TIMEOUT_MS / 1000} s` : `can't be reached (${reasonOf(error)})`,
        { away: hasNoListener(error), cause: error },
      );
    });
    if (response.ok) return response;
    const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
    if (problem.success) throw new ApiRefusal(problem.data);
    throw new ApiUnreachable(url, `answered ${path} with status ${response.status} and no problem document`, {
      away: PROXY_STATUSES.has(response.status),
    });
  }
}

/** What a proxy says for an API that does not run: bad gateway, unavailable, gateway timeout. */
const PROXY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);
/** How connections end on which a process does not listen, or listens no more. */
const NO_LISTENER_CODES: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** What the same request may be answered in a moment. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiRefusal) return error.problem.status === 503 || error.problem.status === 504;
  return error instanceof ApiUnreachable && isNetwork(error.cause);
}

function hasNoListener(error: unknown): boolean {
  const cause = isNativeError(error) ? error.cause : undefined;
  return isNativeError(cause) && 'code' in cause && NO_LISTENER_CODES.has(cause.code);
}

/** What `fetch` throws when there was no connection, as against an answer that could not be read. */
function isNetwork(cause: unknown): boolean {
  return isNativeError(cause) && cause.name === 'TypeError';
}

/** `fetch` says "fetch failed" and keeps the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return isNativeError(error.cause) ? error.cause.message || String(error.cause) : error.message;
}
