/** The framework of one task: how it subscribes, which one follows it, and how it is removed for sure. */
import { MesosError } from './errors.ts';
import type { RunTaskOptions } from './run-task-options.ts';
import { SchedulerClient } from './scheduler-client.ts';
import { killGraceMs } from './task-info.ts';

const DEFAULT_CALL_TIMEOUT_MS = 10_000;
/** What an aborted task may take beyond its grace period until it is left to the teardown. */
const ABORT_SLACK_MS = 30_000;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;

/** For each call. */
export function callTimeoutMs(options: RunTaskOptions): number {
  return options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
}

/** How long the end of an aborted task is waited for. */
export function abortPatienceMs({ task }: RunTaskOptions): number {
  return killGraceMs(task) + ABORT_SLACK_MS;
}

/** A client that subscribes as the framework of that id. */
export function taskScheduler(options: RunTaskOptions, frameworkId: string): SchedulerClient {
  return new SchedulerClient({
    master: options.master,
    timeoutMs: callTimeoutMs(options),
    frameworkInfo: {
      user: options.user ?? 'root',
      name: options.frameworkName,
      id: { value: frameworkId },
      roles: [options.role ?? '*'],
      failover_timeout: options.failoverTimeoutSeconds,
      checkpoint: true,
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }],
    },
  });
}

/**
 * The framework that goes on for one that Mesos has removed. Every attempt at a run comes to the same one, so that what
 * an attempt left there that could not say so is found again.
 */
export function successorOf(frameworkId: string): string {
  const [, base, number] = /^(.*)~(\d+)$/.exec(frameworkId) ?? [];
  return base === undefined ? `${frameworkId}~2` : `${base}~${Number(number) + 1}`;
}

/** Whether the ERROR that a subscription was answered with means that the framework is gone for ever. */
export function saysRemoved(message: string): boolean {
  return message.includes('removed');
}

/** Whether the ERROR that ended a subscription means that another process has subscribed as the same framework. */
export function saysFailedOver(message: string): boolean {
  return message.includes('failed over');
}

/** Whether a call was refused because another process has subscribed as the same framework. */
export function isTakenOver(error: unknown): boolean {
  return error instanceof MesosError && error.answer.includes('stream ID');
}

/** Waits between tries, each time longer. */
export class Backoff {
  #ms = RETRY_MIN_MS;

  async wait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#ms));
    this.#ms = Math.min(this.#ms * 2, RETRY_MAX_MS);
  }

  reset(): void {
    this.#ms = RETRY_MIN_MS;
  }
}

/**
 * Subscribes as a framework and tears it down, again and again until Mesos has taken that, or says that the framework
 * was removed before. Tried for as long as Mesos would keep the framework; where the run was aborted, as long as the
 * end of an aborted task is waited for.
 *
 * Rejects with `MesosError` when Mesos refuses, or has stayed away for so long; with the reason of `leave`.
 */
export async function removeFramework(options: RunTaskOptions, frameworkId: string): Promise<void> {
  const since = Date.now();
  const backoff = new Backoff();
  for (;;) {
    options.leave?.throwIfAborted();
    try {
      return await removeOnce(options, frameworkId);
    } catch (error) {
      if (!(error instanceof MesosError) || error.nonRetryable === true) throw error;
      const patienceMs = options.signal.aborted ? abortPatienceMs(options) : options.failoverTimeoutSeconds * 1000;
      if (Date.now() - since > patienceMs) throw error;
      await backoff.wait();
    }
  }
}

async function removeOnce(options: RunTaskOptions, frameworkId: string): Promise<void> {
  const client = taskScheduler(options, frameworkId);
  for await (const event of client.subscribe()) {
    if (event.type === 'SUBSCRIBED') {
      // To return hangs up, and a scheduler that has hung up may not tear down any more.
      await client.teardown();
      return;
    }
    if (event.type !== 'ERROR') continue;
    if (saysRemoved(event.error.message)) return;
    throw new MesosError({
      url: options.master,
      call: 'scheduler subscription',
      status: 400,
      answer: event.error.message,
    });
  }
  throw new MesosError({ url: options.master, call: 'scheduler subscription', answer: 'the stream ended' });
}
