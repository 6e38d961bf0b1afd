/** The updates of one task on their way to the framework: in order, each repeated until it is acknowledged. */
import type { TaskStatus } from '../../activities/mesos/types.ts';

/**
 * What an agent remembers of a task's statuses: of a stretch of the same state the newest, as Mesos' agents do
 * (`Executor::updateTaskState`), and while that is not acknowledged also those before it. A task whose health is told
 * again and again does not grow.
 */
export function remembered(statuses: readonly TaskStatus[], pending: readonly TaskStatus[]): TaskStatus[] {
  const untold = new Set(pending.map(({ uuid }) => uuid));
  return statuses.filter(({ state }, index) => {
    const next = statuses[index + 1];
    return next?.state !== state || untold.has(next.uuid);
  });
}

/** Mesos' STATUS_UPDATE_RETRY_INTERVAL_MIN and _MAX. */
const RETRY_MIN_MS = 10_000;
const RETRY_MAX_MS = 600_000;

export interface UpdateQueueOptions {
  /** Not yet acknowledged, oldest first. */
  readonly pending: readonly TaskStatus[];
  /** Sends one; whether it arrives shows in its acknowledgement. */
  readonly send: (status: TaskStatus) => void;
}

/** Only the oldest update is ever on its way; the next is sent when that one was acknowledged. */
export class UpdateQueue {
  readonly #send: (status: TaskStatus) => void;
  #pending: TaskStatus[];
  #timer: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MIN_MS;

  constructor(options: UpdateQueueOptions) {
    this.#pending = [...options.pending];
    this.#send = options.send;
  }

  get pending(): readonly TaskStatus[] {
    return this.#pending;
  }

  /** Sends it now if nothing waits before it. */
  push(status: TaskStatus): void {
    this.#pending.push(status);
    if (this.#pending.length === 1) this.resend();
  }

  /** True when it was the one on its way; the next one is sent. Anything else is an old copy's acknowledgement. */
  acknowledge(uuid: string): boolean {
    if (this.#pending[0]?.uuid !== uuid) return false;
    this.#pending.shift();
    this.resend();
    return true;
  }

  /** Sends the oldest again at once and starts its back-off anew: the framework may be a new one. */
  resend(): void {
    this.#retryMs = RETRY_MIN_MS;
    this.#sendFirst();
  }

  /** Drops everything: nobody wants to know any more. */
  clear(): void {
    this.#pending = [];
    this.stop();
  }

  /** Sends nothing more; what is pending stays so. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #sendFirst(): void {
    clearTimeout(this.#timer);
    const [first] = this.#pending;
    if (first === undefined) return;
    this.#timer = setTimeout(() => this.#sendFirst(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    this.#send(first);
  }
}
