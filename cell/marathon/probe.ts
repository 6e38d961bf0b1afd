import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { CheckResult } from './health.ts';
import type { HealthCheck } from './model.ts';

/** Looks once at a task, as Marathon's leader does: from here, at the task's own host and port. */
export function probe(check: HealthCheck, host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  if (check.protocol === 'TCP') return probeTcp(host, port, timeoutMs);
  return probeHttp(check, host, port, timeoutMs);
}

/** 200 to 399 is a pass. Redirects are not followed, certificates not looked at. */
async function probeHttp(check: HealthCheck, host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  try {
    const scheme = check.protocol === 'HTTPS' ? 'https' : 'http';
    const path = check.path ?? '/';
    const response = await get(scheme, host, port, path.startsWith('/') ? path : `/${path}`, timeoutMs);
    response.destroy();
    const status = response.statusCode ?? 0;
    if (status >= 200 && status <= 399) return { ok: true };
    // The usual words for the status, whatever the task itself calls it.
    return { ok: false, cause: `${status} ${STATUS_CODES[status] ?? response.statusMessage ?? ''}`.trim() };
  } catch (error) {
    return { ok: false, cause: causeOf(error, timeoutMs) };
  }
}

/** The head of the answer to a GET over a connection of its own. */
export function get(
  scheme: 'http' | 'https',
  host: string,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { host, port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) } as const;
    const request =
      scheme === 'https'
        ? httpsRequest({ ...options, rejectUnauthorized: false }, resolve)
        : httpRequest(options, resolve);
    request.on('error', reject);
    request.end();
  });
}

function probeTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: CheckResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end({ ok: true }));
    socket.on('timeout', () => end({ ok: false, cause: causeOf(undefined, timeoutMs) }));
    socket.on('error', (error) => end({ ok: false, cause: causeOf(error, timeoutMs) }));
  });
}

function causeOf(error: unknown, timeoutMs: number): string {
  const isError = typeof error === 'object' && error !== null && 'name' in error && 'message' in error;
  if (isError && !['AbortError', 'TimeoutError'].includes(String(error.name))) return String(error.message);
  return `no answer within ${timeoutMs / 1000} seconds`;
}
