/** An agent: keeps the records of its tasks, runs them, and finds them again after its own death. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Attribute, FrameworkInfo, TaskInfo, TaskState } from '../../activities/mesos/types.ts';
import { type CountedAgent, stateOf } from './agent-figures.ts';
import { drainGraceMs } from './agent-orders.ts';
import type { DrainInfo } from './agent-registry.ts';
import type { AgentLink, AgentReports, AgentTask, KillOrder } from './link.ts';
import type { CellLog } from './log.ts';
import type { Amounts } from './resources.ts';
import type { Runtime } from './runtime.ts';
import type { Store } from './store.ts';
import { type TaskRecord, taskRecordSchema } from './task-record.ts';
import { TaskRun } from './task-run.ts';

/** Mesos' `--executor_shutdown_grace_period`. */
const SHUTDOWN_GRACE_MS = 5_000;
/** What tasks may take to end beyond their grace, when the agent stops; longer means that their runtime is gone. */
const STOP_SLACK_MS = 20_000;
/** Records and sandboxes of ended tasks beyond this are removed, oldest first. */
const KEPT_COMPLETED = 500;

export interface AgentOptions {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly attributes: readonly Attribute[];
  readonly total: Amounts;
  /** Of this agent alone. */
  readonly store: Store;
  /** Sandboxes are below it; absolute. */
  readonly workDirectory: string;
  readonly runtimes: { readonly docker: Runtime; readonly command: Runtime };
  readonly log: CellLog;
  /** Its master has told it to end; settles as `stop` does. */
  readonly shutDown: (ended: Promise<void>) => void;
}

export class Agent implements AgentLink {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly attributes: readonly Attribute[];
  readonly total: Amounts;
  readonly startTime: number = Date.now() / 1000;
  readonly #options: AgentOptions;
  /** By container id, oldest first. */
  readonly #runs = new Map<string, TaskRun>();
  /** The same by framework and task id, oldest first: an id may run again once it has ended. */
  readonly #byTask = new Map<string, readonly TaskRun[]>();
  /** Container ids of completed runs, in the order in which they completed. */
  readonly #completed = new Set<string>();
  /** How those ended whose records are removed. */
  readonly #forgotten = new Map<TaskState, number>();
  readonly #alive = new Set<Promise<void>>();
  #reports: AgentReports | undefined;
  #stopping = false;

  constructor(options: AgentOptions) {
    this.id = options.id;
    this.hostname = options.hostname;
    this.ip = options.ip;
    this.port = options.port;
    this.attributes = options.attributes;
    this.total = options.total;
    this.#options = options;
  }

  /**
   * Reads the records of an earlier run, takes up its tasks, and ends what has no record.
   * @param sweep false leaves that for later, because a runtime does not answer now
   */
  async recover({ sweep }: { readonly sweep: boolean }): Promise<void> {
    const { store } = this.#options;
    const records = store
      .list('tasks')
      .flatMap((name) => store.read(name, taskRecordSchema) ?? [])
      .sort((a, b) => a.launchedAt - b.launchedAt);
    if (sweep) await this.#removeOrphans(records);
    for (const record of records) this.#take(record, 'adopt');
  }

  /** Ends what runs without a record: what an engine still did of a launch that it had not answered. */
  sweep(): Promise<void> {
    return this.#removeOrphans(this.records());
  }

  async #removeOrphans(records: readonly TaskRecord[]): Promise<void> {
    const { runtimes, log } = this.#options;
    const known = new Set(records.filter(({ phase }) => phase !== 'ended').map(({ containerId }) => containerId));
    for (const runtime of [runtimes.docker, runtimes.command]) {
      try {
        for (const orphan of await runtime.removeOrphans(known)) {
          log.info(`agent ${this.hostname}: removed ${orphan}, which no task has a record of`);
        }
      } catch (error) {
        log.warn('looking for what earlier runs left', error);
      }
    }
  }

  /** From now on its updates go to this master, the pending ones at once. */
  connect(reports: AgentReports): void {
    this.#reports = reports;
    for (const run of this.#runs.values()) run.resend();
  }

  /** Its updates go nowhere until `connect`. */
  disconnect(): void {
    this.#reports = undefined;
  }

  /** Kills every task and waits until nothing of them runs. Rejects when a runtime does not end its tasks. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const run of this.#runs.values()) run.kill({ graceMs, message: 'Agent was stopped' });
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, graceMs + STOP_SLACK_MS, 'late').unref());
    const outcome = await Promise.race([Promise.all(this.#alive), late]);
    for (const run of this.#runs.values()) run.quiet();
    if (outcome !== 'late') return;
    const left = this.records().filter(({ phase }) => phase !== 'ended');
    throw new Error(`agent ${this.hostname}: not ended: ${left.map(({ task }) => task.task_id.value).join(', ')}`);
  }

  tasks(): AgentTask[] {
    return [...this.#runs.values()].map(({ record, state }) => {
      const pending = new Set(record.pending.slice(1).map(({ uuid }) => uuid));
      return {
        frameworkId: record.frameworkId,
        frameworkInfo: record.frameworkInfo,
        task: record.task,
        state,
        statuses: record.statuses.filter(({ uuid }) => !pending.has(uuid)),
        completed: record.completed,
      };
    });
  }

  /** Records of all tasks it remembers, oldest first. */
  records(): TaskRecord[] {
    return [...this.#runs.values()].map(({ record }) => record);
  }

  /** What its figures are counted from. */
  get counted(): CountedAgent {
    const { total, startTime } = this;
    const registered = this.#reports !== undefined;
    return { total, startTime, registered, records: this.records(), forgotten: this.#forgotten };
  }

  launch(frameworkId: string, frameworkInfo: FrameworkInfo, task: TaskInfo): void {
    if (this.#stopping) return;
    const containerId = randomUUID();
    const directory = join(
      this.#options.workDirectory,
      'slaves',
      this.id,
      'frameworks',
      frameworkId,
      'executors',
      task.task_id.value,
      'runs',
      containerId,
    );
    mkdirSync(directory, { recursive: true });
    const record: TaskRecord = {
      containerId,
      frameworkId,
      frameworkInfo,
      task,
      directory,
      launchedAt: Date.now(),
      phase: 'launching',
      muted: false,
      statuses: [],
      pending: [],
      completed: false,
    };
    this.#save(record);
    this.#take(record, 'launch');
  }

  kill(frameworkId: string, taskId: string, order: KillOrder): void {
    this.#runsOf(frameworkId, taskId).at(-1)?.kill(order);
  }

  acknowledge(frameworkId: string, taskId: string, uuid: string): void {
    // An id may have run before: the acknowledgement is for whichever run sent that update.
    for (const run of this.#runsOf(frameworkId, taskId)) run.acknowledge(uuid);
    this.#prune();
  }

  resend(frameworkId: string): void {
    for (const run of this.#ofFramework(frameworkId)) run.resend();
  }

  shutdownFramework(frameworkId: string): void {
    for (const run of this.#ofFramework(frameworkId)) {
      run.mute();
      run.kill({ graceMs: SHUTDOWN_GRACE_MS, message: 'Framework was removed' });
    }
  }

  drain({ config }: DrainInfo): void {
    const max = config.max_grace_period?.nanoseconds;
    for (const run of this.#runs.values()) {
      const { frameworkInfo, task, muted } = run.record;
      if (muted) continue;
      const own = task.kill_policy?.grace_period;
      const aware = frameworkInfo.capabilities?.some(({ type }) => type === 'PARTITION_AWARE') === true;
      run.kill({
        graceMs: drainGraceMs(own && Number(own.nanoseconds) / 1e6, max === undefined ? undefined : max / 1e6),
        reason: 'REASON_AGENT_DRAINING',
        state: config.mark_gone && aware ? 'TASK_GONE_BY_OPERATOR' : undefined,
      });
    }
  }

  shutdown(why: string): void {
    this.disconnect();
    for (const run of this.#runs.values()) run.mute();
    this.#options.log.info(`agent ${this.hostname}: told to shut down: ${why}`);
    this.#options.shutDown(this.stop(SHUTDOWN_GRACE_MS));
  }

  #take(record: TaskRecord, how: 'launch' | 'adopt'): void {
    const { runtimes, log } = this.#options;
    const run = new TaskRun({
      record,
      agentId: this.id,
      agentIp: this.ip,
      runtime: record.task.container?.type === 'DOCKER' ? runtimes.docker : runtimes.command,
      save: (changed) => this.#save(changed),
      send: (status, latest) => this.#reports?.statusUpdate(this.id, record.frameworkId, status, latest),
      log,
    });
    this.#runs.set(record.containerId, run);
    if (record.completed) this.#completed.add(record.containerId);
    const key = taskKey(record.frameworkId, record.task.task_id.value);
    this.#byTask.set(key, [...(this.#byTask.get(key) ?? []), run]);
    const life = run
      .live(how)
      .catch((error: unknown) => log.warn(`task ${record.task.task_id.value}: keeping its record`, error));
    this.#alive.add(life);
    void life.finally(() => this.#alive.delete(life));
  }

  #runsOf(frameworkId: string, taskId: string): readonly TaskRun[] {
    return this.#byTask.get(taskKey(frameworkId, taskId)) ?? [];
  }

  #ofFramework(frameworkId: string): TaskRun[] {
    return [...this.#runs.values()].filter(({ record }) => record.frameworkId === frameworkId);
  }

  #prune(): void {
    for (const containerId of this.#completed) {
      if (this.#completed.size <= KEPT_COMPLETED) return;
      this.#completed.delete(containerId);
      const run = this.#runs.get(containerId);
      if (run !== undefined) this.#remove(run);
    }
  }

  #remove(run: TaskRun): void {
    const { containerId, directory, frameworkId, task } = run.record;
    this.#runs.delete(containerId);
    const end = stateOf(run.record);
    this.#forgotten.set(end, (this.#forgotten.get(end) ?? 0) + 1);
    const key = taskKey(frameworkId, task.task_id.value);
    const others = (this.#byTask.get(key) ?? []).filter((other) => other !== run);
    if (others.length === 0) this.#byTask.delete(key);
    else this.#byTask.set(key, others);
    this.#options.store.remove(`tasks/${containerId}`);
    rmSync(directory, { recursive: true, force: true });
  }

  #save(record: TaskRecord): void {
    this.#options.store.write(`tasks/${record.containerId}`, record);
    if (record.completed) this.#completed.add(record.containerId);
  }
}

function taskKey(frameworkId: string, taskId: string): string {
  return `${frameworkId} ${taskId}`;
}
