/** One task on an agent, from its launch to the acknowledgement of its end; the part of Mesos' executors. */

import { randomUUID } from 'node:crypto';
import { textOf } from '../../activities/mesos/thrown.ts';
import type { TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import { HealthChecker } from './health-check.ts';
import type { CellLog } from './log.ts';
import { type ContainerSpec, type Execution, type Exit, LaunchError, type Runtime } from './runtime.ts';
import { remembered, UpdateQueue } from './status-updates.ts';
import type { KillRecord, TaskRecord } from './task-record.ts';

/** Mesos' DEFAULT_KILL_GRACE of its executors. */
const DEFAULT_GRACE_MS = 3_000;
/** A runtime that does not answer when a task is looked for is asked again after so long. */
const ADOPT_RETRY_MS = 500;

/** What is not said: the task's own grace, and TASK_KILLED at the end. */
export type KillRequest = { readonly [K in keyof Omit<KillRecord, 'at'>]?: KillRecord[K] | undefined };

export interface TaskRunOptions {
  readonly record: TaskRecord;
  readonly agentId: string;
  readonly agentIp: string;
  readonly runtime: Runtime;
  /** Keeps the record; returns when it is safe. */
  readonly save: (record: TaskRecord) => void;
  /** Sends an update towards the framework. */
  readonly send: (status: TaskStatus, latest: TaskState) => void;
  readonly log: CellLog;
}

/** A record is always saved before what it says is told or done, so that a death in between repeats and never forgets. */
export class TaskRun {
  readonly #options: TaskRunOptions;
  readonly #updates: UpdateQueue;
  readonly #cancelLaunch = new AbortController();
  #record: TaskRecord;
  #execution: Execution | undefined;
  #health: HealthChecker | undefined;
  #completionTimer: NodeJS.Timeout | undefined;

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#updates = new UpdateQueue({
      pending: options.record.pending,
      send: (status) => options.send(status, this.state),
    });
  }

  get record(): TaskRecord {
    return this.#record;
  }

  /** The newest state there is. */
  get state(): TaskState {
    return this.#record.statuses.at(-1)?.state ?? 'TASK_STAGING';
  }

  /** Launches it, or takes up what an earlier run of the agent launched. Resolves when nothing of it runs. Never rejects. */
  async live(how: 'launch' | 'adopt'): Promise<void> {
    if (this.#record.phase === 'ended') return;
    try {
      const execution = how === 'adopt' ? await this.#adopt() : undefined;
      this.#execution = execution ?? (await this.#launch());
    } catch (error) {
      this.#endWithoutExecution(error);
      return;
    }
    this.#begin(this.#execution);
    const exit = await this.#execution.exited;
    this.#health?.stop();
    clearTimeout(this.#completionTimer);
    this.#end(exit);
    await this.#execution.dispose().catch((error: unknown) => this.#warn('clearing away', error));
  }

  /** Asks for its end. Asked again, the shorter grace counts. */
  kill(order: KillRequest): void {
    if (this.#record.phase === 'ended') return;
    const own = this.#record.task.kill_policy?.grace_period;
    const graceMs = order.graceMs ?? (own === undefined ? DEFAULT_GRACE_MS : Number(own.nanoseconds) / 1e6);
    const { kill } = this.#record;
    const first = kill === undefined;
    if (first) {
      this.#save({ kill: { ...order, state: order.state ?? 'TASK_KILLED', graceMs, at: Date.now() } });
      this.#cancelLaunch.abort();
    } else if (order.reason !== undefined) {
      this.#save({ kill: { ...kill, reason: order.reason, state: order.state ?? kill.state } });
    }
    if (this.#execution === undefined) return;
    if (first) this.#tellKilling();
    this.#execution.kill(graceMs);
  }

  /** The framework is gone: nothing is told any more. */
  mute(): void {
    this.#updates.clear();
    this.#save({ muted: true, pending: [], completed: this.#record.phase === 'ended' });
  }

  acknowledge(uuid: string): void {
    const { state } = this.#updates.pending[0] ?? {};
    if (state === undefined || !this.#updates.acknowledge(uuid)) return;
    const pending = [...this.#updates.pending];
    this.#save({ pending, completed: this.#record.phase === 'ended' && pending.length === 0 });
  }

  resend(): void {
    this.#updates.resend();
  }

  /** Repeats no update any more. */
  quiet(): void {
    this.#updates.stop();
  }

  get #spec(): ContainerSpec {
    return { ...this.#record, agentId: this.#options.agentId };
  }

  /** Undefined when there is no trace of it and it may be launched. */
  async #adopt(): Promise<Execution | undefined> {
    for (;;) {
      try {
        const found = await this.#options.runtime.adopt(this.#spec);
        if (found !== undefined || this.#record.phase === 'launching') return found;
        break;
      } catch (error) {
        this.#warn('looking for it', error);
        await new Promise((resolve) => setTimeout(resolve, ADOPT_RETRY_MS));
      }
    }
    throw new LaunchError('The task was gone when its agent came back');
  }

  async #launch(): Promise<Execution> {
    this.#refuseIfKilled();
    await this.#options.runtime.prepare(this.#spec, this.#cancelLaunch.signal);
    this.#refuseIfKilled();
    if (this.state === 'TASK_STAGING') this.#tell('TASK_STARTING');
    return this.#options.runtime.launch(this.#spec);
  }

  #refuseIfKilled(): void {
    if (this.#record.kill !== undefined) throw new LaunchError('Killed before delivery to the executor');
  }

  #begin(execution: Execution): void {
    if (this.#record.phase === 'launching') {
      const data = execution.data === undefined ? {} : { data: execution.data };
      this.#tell('TASK_RUNNING', data, { phase: 'running', runningSince: Date.now() });
    }
    const { kill, task, runningSince = Date.now() } = this.#record;
    if (kill !== undefined) {
      if (this.state !== 'TASK_KILLING' && this.state !== 'TASK_GONE_BY_OPERATOR') this.#tellKilling();
      execution.kill(Math.max(0, kill.at + kill.graceMs - Date.now()));
      return;
    }
    if (task.health_check !== undefined) this.#watchHealth(execution, runningSince);
    if (task.max_completion_time !== undefined) {
      const leftMs = Number(task.max_completion_time.nanoseconds) / 1e6 - (Date.now() - runningSince);
      this.#completionTimer = setTimeout(
        () => this.kill({ graceMs: 0, state: 'TASK_FAILED', reason: 'REASON_MAX_COMPLETION_TIME_REACHED' }),
        Math.max(0, leftMs),
      );
    }
  }

  #watchHealth(execution: Execution, since: number): void {
    const { health_check } = this.#record.task;
    if (health_check === undefined) return;
    this.#health = new HealthChecker(health_check, execution, since, ({ healthy, kill, message }) => {
      if (this.#record.kill !== undefined) return;
      this.#tell('TASK_RUNNING', { healthy, message, reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED' });
      if (!kill) return;
      this.#health?.stop();
      this.kill({ healthy: false, message });
    });
  }

  #tellKilling(): void {
    const wanted = this.#record.frameworkInfo.capabilities?.some(({ type }) => type === 'TASK_KILLING_STATE');
    // An agent that will be gone tells so with the first word already, as Mesos' does (`Slave::statusUpdate`).
    const state = this.#record.kill?.state === 'TASK_GONE_BY_OPERATOR' ? 'TASK_GONE_BY_OPERATOR' : 'TASK_KILLING';
    if (wanted) this.#tell(state, this.#killWords());
  }

  #killWords(): Partial<TaskStatus> {
    const { reason, healthy } = this.#record.kill ?? {};
    return { ...(reason === undefined ? {} : { reason }), ...(healthy === undefined ? {} : { healthy }) };
  }

  #end(exit: Exit): void {
    const { kill } = this.#record;
    const state = kill?.state ?? (exit.code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED');
    const cause = kill?.message === undefined ? '' : `${kill.message}; `;
    const reason = kill === undefined ? exit.reason : kill.reason;
    this.#finish(state, {
      ...this.#killWords(),
      message: `${cause}${exit.message}`,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #endWithoutExecution(error: unknown): void {
    if (this.#record.kill !== undefined) {
      this.#finish(this.#record.kill.state, {
        source: 'SOURCE_AGENT',
        reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
        ...this.#killWords(),
        message: 'Killed before delivery to the executor',
      });
      return;
    }
    if (!(error instanceof LaunchError)) this.#warn('launching', error);
    this.#finish('TASK_FAILED', {
      source: 'SOURCE_AGENT',
      reason: this.#record.phase === 'running' ? 'REASON_EXECUTOR_TERMINATED' : 'REASON_CONTAINER_LAUNCH_FAILED',
      message: textOf(error),
    });
  }

  #finish(state: TaskState, more: Partial<TaskStatus>): void {
    this.#tell(state, more, { phase: 'ended', completed: this.#record.muted });
  }

  /** One save for the update and for what it is about: a death can't come between them. */
  #tell(state: TaskState, more: Partial<TaskStatus> = {}, change: Partial<TaskRecord> = {}): void {
    const { task, containerId, muted } = this.#record;
    // As Mesos' agents do: their own address where a task has none yet.
    const address = this.#execution?.address ?? (more.source === undefined ? this.#options.agentIp : undefined);
    const pid = this.#execution?.pid;
    const status: TaskStatus = {
      task_id: task.task_id,
      state,
      source: 'SOURCE_EXECUTOR',
      agent_id: { value: this.#options.agentId },
      executor_id: { value: task.task_id.value },
      timestamp: Date.now() / 1000,
      uuid: Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64'),
      container_status: {
        container_id: { value: containerId },
        ...(address === undefined
          ? {}
          : { network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: address }] }] }),
        ...(pid === undefined ? {} : { executor_pid: pid }),
      },
      ...more,
    };
    const pending = muted ? [] : [...this.#updates.pending, status];
    const statuses = remembered([...this.#record.statuses, status], pending);
    if (muted) {
      this.#save({ ...change, statuses });
      return;
    }
    this.#save({ ...change, statuses, pending });
    this.#updates.push(status);
  }

  #save(change: Partial<TaskRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#options.save(this.#record);
  }

  #warn(doing: string, error: unknown): void {
    this.#options.log.warn(`task ${this.#record.task.task_id.value}: ${doing}`, error);
  }
}
