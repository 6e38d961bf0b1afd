/** The health checks of a TaskInfo: when, how, and what their results mean. */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { textOf } from '../../activities/mesos/thrown.ts';
import type { CommandInfo, HealthCheck } from '../../activities/mesos/types.ts';

/** The defaults of mesos.proto's HealthCheck. */
const DEFAULTS = { delay: 15, interval: 10, timeout: 20, grace: 10, failures: 3 } as const;

export interface HealthState {
  /** True until the first success: the grace period only counts before it. */
  readonly initial: boolean;
  readonly failures: number;
}

export const UNKNOWN_HEALTH: HealthState = { initial: true, failures: 0 };

export interface HealthVerdict {
  readonly state: HealthState;
  /** To be told to the framework; undefined: nothing changed. */
  readonly healthy?: boolean | undefined;
  readonly kill: boolean;
}

/**
 * What a result means, as Mesos' HealthChecker decides (checks/health_checker.cpp): failures before the first success
 * do not count inside the grace period; every counted failure is told, the one that reaches the limit kills; a
 * success is told when it is the first one or the first after a failure.
 */
export function judgeHealth(
  check: HealthCheck,
  state: HealthState,
  passed: boolean,
  secondsSinceStart: number,
): HealthVerdict {
  if (passed) {
    const news = state.initial || state.failures > 0;
    return { state: { initial: false, failures: 0 }, ...(news ? { healthy: true } : {}), kill: false };
  }
  if (state.initial && secondsSinceStart <= (check.grace_period_seconds ?? DEFAULTS.grace)) {
    return { state, kill: false };
  }
  const failures = state.failures + 1;
  const limit = check.consecutive_failures ?? DEFAULTS.failures;
  return { state: { ...state, failures }, healthy: false, kill: failures >= limit };
}

export interface HealthTarget {
  readonly address: string;
  readonly check: (command: CommandInfo, timeoutMs: number) => Promise<number>;
}

export interface HealthReport {
  readonly healthy: boolean;
  readonly kill: boolean;
  readonly message: string;
}

/** Checks a task until stopped. `report` is told what `judgeHealth` says must be told. */
export class HealthChecker {
  readonly #check: HealthCheck;
  readonly #target: HealthTarget;
  readonly #report: (report: HealthReport) => void;
  readonly #startedAt: number;
  #state: HealthState = UNKNOWN_HEALTH;
  #timer: NodeJS.Timeout;
  #stopped = false;

  /** @param startedAt ms since the epoch, when the task began to run: its delay and grace period count from there */
  constructor(check: HealthCheck, target: HealthTarget, startedAt: number, report: (report: HealthReport) => void) {
    this.#check = check;
    this.#target = target;
    this.#report = report;
    this.#startedAt = startedAt;
    const delayMs = (check.delay_seconds ?? DEFAULTS.delay) * 1000 - (Date.now() - startedAt);
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, delayMs));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const timeoutMs = (this.#check.timeout_seconds ?? DEFAULTS.timeout) * 1000;
    const failure = await probe(this.#check, this.#target, timeoutMs).then(() => undefined, textOf);
    if (this.#stopped) return;
    const seconds = (Date.now() - this.#startedAt) / 1000;
    const verdict = judgeHealth(this.#check, this.#state, failure === undefined, seconds);
    this.#state = verdict.state;
    if (verdict.healthy !== undefined) {
      const message = failure === undefined ? 'Health check passed' : `Health check failed: ${failure}`;
      this.#report({ healthy: verdict.healthy, kill: verdict.kill, message });
    }
    if (this.#stopped) return;
    const intervalMs = (this.#check.interval_seconds ?? DEFAULTS.interval) * 1000;
    this.#timer = setTimeout(() => void this.#run(), intervalMs);
  }
}

/** Resolves when the check passed; rejects with what was seen instead. */
async function probe(check: HealthCheck, target: HealthTarget, timeoutMs: number): Promise<void> {
  switch (check.type) {
    case 'COMMAND': {
      const code = await target.check(check.command ?? {}, timeoutMs);
      if (code !== 0) throw new Error(`command exited with status ${code}`);
      return;
    }
    case 'HTTP': {
      if (check.http === undefined) throw new Error('an HTTP check without http');
      const { scheme = 'http', port, path = '/' } = check.http;
      const status = await getStatus(new URL(`${scheme}://${target.address}:${port}${path}`), timeoutMs);
      // Mesos counts 200 to 399 as healthy, whatever `statuses` says.
      if (status < 200 || status > 399) throw new Error(`unexpected HTTP response code: ${status}`);
      return;
    }
    case 'TCP':
      if (check.tcp === undefined) throw new Error('a TCP check without tcp');
      await tryConnect(target.address, check.tcp.port, timeoutMs);
  }
}

function getStatus(url: URL, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // Mesos calls curl with --insecure: a health check asks whether the task answers, not who it is.
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { agent: false, rejectUnauthorized: false })
        : httpRequest(url, { agent: false });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.end();
  });
}

function tryConnect(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
  });
}
