/** The master: who is there, what runs where, and who is offered what. */
import { randomUUID } from 'node:crypto';
import type { FrameworkInfo, SchedulerEvent, TaskInfo, TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import { isTerminal } from '../../activities/mesos/types.ts';
import type { AgentEntry } from './agent-entry.ts';
import { AllocationRounds, type Cluster } from './allocation-rounds.ts';
import type { EventStream } from './event-stream.ts';
import { Framework, type FrameworkRecord, frameworkRecordSchema, type MasterTask } from './framework.ts';
import type { AgentLink, AgentReports, KillOrder } from './link.ts';
import { OfferBook, type OutstandingOffer } from './offer-book.ts';
import { operatorEvents } from './operator-events.ts';
import { type Amounts, add, amountsOf, NOTHING, subtract } from './resources.ts';
import type { Store } from './store.ts';

/** Mesos' `--max_completed_frameworks`. */
const MAX_COMPLETED_FRAMEWORKS = 50;
/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2_147_483_647;

export interface MasterOptions {
  readonly ip: string;
  readonly hostname: string;
  /** Known once the server listens. */
  readonly port: number;
  readonly store: Store;
  readonly heartbeatMs: number;
  readonly streamCutSeed?: number | undefined;
  readonly allocationIntervalMs: number;
  /** How long an agent may be silent before it counts as unreachable. */
  readonly agentTimeoutMs: number;
  /** True for an agent that is not to be offered; only fault switches say so. */
  readonly isWithheld?: (agentId: string) => boolean;
}

export class Master implements AgentReports, Cluster {
  /** New at each start, as Mesos' is: ids of offers and frameworks begin with it and never repeat. */
  readonly id: string = randomUUID();
  readonly startTime: number = Date.now() / 1000;
  readonly options: MasterOptions;
  readonly frameworks: Map<string, Framework> = new Map();
  /** Removed ones, oldest first. */
  readonly completedFrameworks: Map<string, Framework> = new Map();
  readonly agents: Map<string, AgentEntry> = new Map();
  readonly offers: OfferBook;
  readonly subscribers: Set<EventStream> = new Set();
  readonly #rounds: AllocationRounds = new AllocationRounds(this);
  #nextFramework = 0;

  constructor(options: MasterOptions) {
    this.options = options;
    this.offers = new OfferBook(this.id);
  }

  /** Reads the frameworks of an earlier run; call before the agents register. */
  recover(): void {
    const { store } = this.options;
    const records = store.list('frameworks').flatMap((name) => store.read(name, frameworkRecordSchema) ?? []);
    for (const record of records.sort((a, b) => (a.removedAt ?? 0) - (b.removedAt ?? 0))) {
      const framework = new Framework(record);
      if (record.removedAt !== undefined) {
        this.completedFrameworks.set(record.id, framework);
        continue;
      }
      framework.recovered = true;
      this.frameworks.set(record.id, framework);
      if (record.disconnectedAt === undefined) this.#keep(framework, { disconnectedAt: Date.now() });
      this.#awaitFailover(framework);
    }
  }

  start(): void {
    this.#rounds.start(this.options.allocationIntervalMs);
  }

  /** Ends every stream; frameworks may come back to the next run. */
  stop(): void {
    this.#rounds.stop();
    for (const { timer } of this.agents.values()) clearTimeout(timer);
    for (const framework of this.frameworks.values()) {
      clearTimeout(framework.failoverTimer);
      if (framework.stream === undefined) continue;
      framework.stream.end();
      framework.stream = undefined;
      this.#keep(framework, { disconnectedAt: Date.now() });
    }
    for (const stream of this.subscribers) stream.end();
  }

  // Frameworks

  /** A framework on a new stream. The caller has checked the info; a string is the ERROR it gets instead. */
  subscribe(info: FrameworkInfo, suppressedRoles: readonly string[], stream: EventStream): Framework | string {
    const id = info.id?.value ?? this.#newFrameworkId();
    if (this.completedFrameworks.has(id)) return 'Framework has been removed';
    const known = this.frameworks.get(id);
    const now = Date.now();
    const record = { id, info: { ...info, id: { value: id } }, registeredAt: now, reregisteredAt: now };
    const framework = known ?? new Framework(record);
    this.frameworks.set(id, framework);
    if (known?.stream !== undefined) {
      known.stream.send({ type: 'ERROR', error: { message: 'Framework failed over' } } satisfies SchedulerEvent);
      known.stream.end();
      this.offers.takeAll({ frameworkId: id });
    }
    clearTimeout(framework.failoverTimer);
    this.#keep(framework, { ...record, registeredAt: framework.record.registeredAt, disconnectedAt: undefined });
    framework.stream = stream;
    framework.recovered = false;
    this.#suppressOnly(framework, suppressedRoles);
    this.#rounds.forget(id);
    stream.welcome({
      type: 'SUBSCRIBED',
      subscribed: {
        framework_id: { value: id },
        heartbeat_interval_seconds: this.options.heartbeatMs / 1000,
        master_info: this.info(),
      },
    } satisfies SchedulerEvent);
    this.broadcast(
      known === undefined ? operatorEvents.frameworkAdded(framework) : operatorEvents.frameworkUpdated(framework),
    );
    for (const { link, connected } of this.agents.values()) if (connected) link.resend(id);
    this.#rounds.soon();
    return framework;
  }

  /** Its connection broke: its offers go to others, its tasks go on until its failover timeout. */
  disconnected(framework: Framework, stream: EventStream): void {
    if (framework.stream !== stream) return;
    framework.stream = undefined;
    this.offers.takeAll({ frameworkId: framework.id });
    this.#keep(framework, { disconnectedAt: Date.now() });
    this.broadcast(operatorEvents.frameworkUpdated(framework));
    this.#awaitFailover(framework);
  }

  updateInfo(framework: Framework, info: FrameworkInfo, suppressedRoles: readonly string[]): void {
    this.#keep(framework, { info: { ...info, id: { value: framework.id } } });
    this.#suppressOnly(framework, suppressedRoles);
    this.broadcast(operatorEvents.frameworkUpdated(framework));
    this.#rounds.soon();
  }

  /** For ever: its tasks are killed and its id is dead. */
  remove(framework: Framework): void {
    clearTimeout(framework.failoverTimer);
    this.frameworks.delete(framework.id);
    this.completedFrameworks.set(framework.id, framework);
    // Kept before anybody can see it: a death right after must not bring the framework back.
    this.#keep(framework, { removedAt: Date.now() });
    this.offers.takeAll({ frameworkId: framework.id });
    this.#rounds.forget(framework.id);
    for (const { link, connected } of this.agents.values()) if (connected) link.shutdownFramework(framework.id);
    for (const task of [...framework.tasks.values(), ...framework.unreachable.values()]) {
      if (!isTerminal(task.state)) {
        this.#release(task);
        this.#store(task, {
          task_id: task.task.task_id,
          state: 'TASK_KILLED',
          message: `Framework ${framework.id} removed`,
          source: 'SOURCE_MASTER',
          reason: 'REASON_FRAMEWORK_REMOVED',
          agent_id: { value: task.agentId },
          timestamp: Date.now() / 1000,
        });
      }
      framework.complete(task);
    }
    framework.unreachable.clear();
    framework.stream?.end();
    framework.stream = undefined;
    for (const id of [...this.completedFrameworks.keys()].slice(0, -MAX_COMPLETED_FRAMEWORKS)) {
      this.completedFrameworks.delete(id);
      this.options.store.remove(recordName(id));
    }
    this.broadcast(operatorEvents.frameworkRemoved(framework));
  }

  // Offers

  /** Takes back what of an offer is not used; the framework does not want it for `refuseSeconds`. */
  refuse(offer: OutstandingOffer, amounts: Amounts, refuseSeconds: number): void {
    this.offers.take(offer.id);
    this.#rounds.refuse(offer, amounts, refuseSeconds);
  }

  suppress(framework: Framework, roles: readonly string[] | undefined): void {
    for (const role of roles ?? framework.roles) framework.suppressed.add(role);
  }

  revive(framework: Framework, roles: readonly string[] | undefined): void {
    const revived = roles ?? framework.roles;
    for (const role of revived) framework.suppressed.delete(role);
    this.#rounds.forget(framework.id, revived);
    this.#rounds.run();
  }

  // Tasks

  launch(framework: Framework, agentId: string, task: TaskInfo): void {
    const entry = this.agents.get(agentId);
    if (entry === undefined) return;
    const known: MasterTask = { frameworkId: framework.id, agentId, task, state: 'TASK_STAGING', statuses: [] };
    framework.tasks.set(task.task_id.value, known);
    entry.used = add(entry.used, amountsOf(task.resources));
    this.broadcast(operatorEvents.taskAdded(known));
    entry.link.launch(framework.id, framework.info, task);
  }

  kill(task: MasterTask, order: KillOrder): void {
    const entry = this.agents.get(task.agentId);
    if (entry?.connected) entry.link.kill(task.frameworkId, task.task.task_id.value, order);
  }

  acknowledge(framework: Framework, agentId: string, taskId: string, uuid: string): void {
    const entry = this.agents.get(agentId);
    if (entry?.connected) entry.link.acknowledge(framework.id, taskId, uuid);
    const task = framework.tasks.get(taskId);
    const last = task?.statuses.at(-1);
    if (task !== undefined && last?.uuid === uuid && isTerminal(last.state)) framework.complete(task);
  }

  statusUpdate(agentId: string, frameworkId: string, status: TaskStatus, latest: TaskState): void {
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined || this.agents.get(agentId)?.connected !== true) return;
    const task = framework.tasks.get(status.task_id.value);
    if (task !== undefined && task.agentId === agentId) {
      if (isTerminal(latest) && !isTerminal(task.state)) this.#release(task);
      if (!task.statuses.some(({ uuid }) => uuid === status.uuid)) this.#store(task, status, latest);
    }
    framework.tell({ type: 'UPDATE', update: { status } });
  }

  // Agents

  /** An agent that is new, or that this master heard nothing of for a while. */
  register(link: AgentLink): void {
    const known = this.agents.get(link.id);
    clearTimeout(known?.timer);
    const now = Date.now() / 1000;
    const entry: AgentEntry = {
      link,
      registeredTime: known?.registeredTime ?? now,
      reregisteredTime: known === undefined ? undefined : now,
      connected: true,
      unreachable: false,
      used: NOTHING,
      timer: undefined,
    };
    this.agents.set(link.id, entry);
    for (const told of link.tasks()) this.#adopt(entry, told, known?.unreachable === true);
    if (known === undefined || known.unreachable) this.broadcast(operatorEvents.agentAdded(entry));
    this.#rounds.soon();
  }

  /**
   * Nothing is heard of an agent any more. Frameworks that do not checkpoint lose its tasks at once, the others after
   * `timeoutMs`; said again of an agent that is still within its time, the new time counts.
   */
  agentDisconnected(agentId: string, timeoutMs: number = this.options.agentTimeoutMs): void {
    const entry = this.agents.get(agentId);
    if (entry === undefined || entry.unreachable) return;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => this.#unreachable(entry), timeoutMs);
    if (!entry.connected) return;
    entry.connected = false;
    this.#rescind(agentId);
    for (const framework of this.frameworks.values()) {
      if (framework.info.checkpoint === true) continue;
      for (const task of this.#tasksOn(agentId, framework))
        this.#lose(framework, task, entry, 'REASON_AGENT_DISCONNECTED');
    }
  }

  /** What is on offer of agents that are withheld now is rescinded; what was withheld is offered. */
  withheldChanged(): void {
    for (const agentId of this.agents.keys()) if (this.isWithheld(agentId)) this.#rescind(agentId);
    this.#rounds.soon();
  }

  isWithheld(agentId: string): boolean {
    return this.options.isWithheld?.(agentId) === true;
  }

  #rescind(agentId: string): void {
    for (const offer of this.offers.takeAll({ agentId })) {
      this.frameworks.get(offer.frameworkId)?.tell({ type: 'RESCIND', rescind: { offer_id: { value: offer.id } } });
    }
  }

  /** What the operator stream tells. */
  broadcast(event: object): void {
    for (const stream of this.subscribers) stream.send(event);
  }

  info() {
    const { hostname, ip, port } = this.options;
    return {
      id: this.id,
      ip: ip.split('.').reduce((sum, part, index) => sum + Number(part) * 256 ** index, 0),
      port,
      pid: `master@${ip}:${port}`,
      hostname,
      version: '1.11.0',
      address: { hostname, ip, port },
      capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, {}],
    };
  }

  #adopt(entry: AgentEntry, told: ReturnType<AgentLink['tasks']>[number], returned: boolean): void {
    const { link } = entry;
    const taskId = told.task.task_id.value;
    const removed = this.completedFrameworks.get(told.frameworkId);
    const remembered = this.frameworks.get(told.frameworkId) ?? removed;
    // What ended for a framework that is itself forgotten is of interest to nobody.
    if (remembered === undefined && told.completed) return;
    const framework = remembered ?? this.#recoverFramework(told);
    if (removed !== undefined && !told.completed) link.shutdownFramework(told.frameworkId);
    const { task, state, statuses } = told;
    const known: MasterTask = { frameworkId: framework.id, agentId: link.id, task, state, statuses };
    const here = framework.completed.findIndex(
      (other) => other.task.task_id.value === taskId && other.agentId === link.id,
    );
    if (here !== -1) framework.completed.splice(here, 1);
    if (told.completed || removed !== undefined) {
      framework.complete(known);
      return;
    }
    framework.unreachable.delete(taskId);
    framework.tasks.set(taskId, known);
    if (!isTerminal(state)) entry.used = add(entry.used, amountsOf(task.resources));
    // Mesos: a framework that was told TASK_LOST does not expect the task to come back.
    if (returned && !framework.has('PARTITION_AWARE')) link.kill(framework.id, taskId, {});
  }

  /** A framework known only from its tasks: its record was lost. */
  #recoverFramework(told: ReturnType<AgentLink['tasks']>[number]): Framework {
    const now = Date.now();
    const { frameworkId: id, frameworkInfo: info } = told;
    const framework = new Framework({ id, info, registeredAt: now, reregisteredAt: now, disconnectedAt: now });
    framework.recovered = true;
    this.frameworks.set(id, framework);
    this.#keep(framework, {});
    this.#awaitFailover(framework);
    return framework;
  }

  #unreachable(entry: AgentEntry): void {
    entry.unreachable = true;
    const agent_id = { value: entry.link.id };
    for (const framework of this.frameworks.values()) {
      for (const task of this.#tasksOn(entry.link.id, framework)) {
        this.#lose(framework, task, entry, 'REASON_AGENT_REMOVED');
      }
      framework.tell({ type: 'FAILURE', failure: { agent_id } });
    }
  }

  /** The task may still run; the framework is told that nobody knows. */
  #lose(framework: Framework, task: MasterTask, entry: AgentEntry, reason: string): void {
    const { task_id } = task.task;
    framework.tasks.delete(task_id.value);
    framework.unreachable.set(task_id.value, task);
    if (!isTerminal(task.state)) this.#release(task);
    const removed = reason === 'REASON_AGENT_REMOVED';
    const status: TaskStatus = {
      task_id,
      state: framework.wordFor('TASK_UNREACHABLE'),
      message: `Agent ${entry.link.hostname} ${removed ? 'is unreachable' : 'disconnected'}`,
      source: 'SOURCE_MASTER',
      reason,
      agent_id: { value: entry.link.id },
      timestamp: Date.now() / 1000,
      ...(removed ? { unreachable_time: { nanoseconds: Date.now() * 1e6 } } : {}),
    };
    this.#store(task, status);
    framework.tell({ type: 'UPDATE', update: { status } });
  }

  /**
   * As `Master::updateTask`: of several statuses in a row with one state the last is kept. Operators hear of each new state
   * and of each change of health.
   */
  #store(task: MasterTask, status: TaskStatus, latest: TaskState = status.state): void {
    const repeated = task.statuses.at(-1)?.state === status.state;
    task.statuses = [...(repeated ? task.statuses.slice(0, -1) : task.statuses), status];
    if (!isTerminal(task.state)) task.state = latest;
    if (!repeated || status.reason === 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED') {
      this.broadcast(operatorEvents.taskUpdated(task.frameworkId, status, task.state));
    }
  }

  #tasksOn(agentId: string, framework: Framework): MasterTask[] {
    return [...framework.tasks.values()].filter((task) => task.agentId === agentId);
  }

  #release(task: MasterTask): void {
    const entry = this.agents.get(task.agentId);
    if (entry !== undefined) entry.used = subtract(entry.used, amountsOf(task.task.resources));
  }

  #suppressOnly(framework: Framework, roles: readonly string[]): void {
    framework.suppressed.clear();
    for (const role of roles) framework.suppressed.add(role);
  }

  #newFrameworkId(): string {
    this.#nextFramework += 1;
    return `${this.id}-${String(this.#nextFramework - 1).padStart(4, '0')}`;
  }

  #awaitFailover(framework: Framework): void {
    const since = framework.record.disconnectedAt ?? Date.now();
    const leftMs = since + (framework.info.failover_timeout ?? 0) * 1000 - Date.now();
    framework.failoverTimer = setTimeout(
      () => (leftMs > MAX_TIMER_MS ? this.#awaitFailover(framework) : this.remove(framework)),
      Math.min(Math.max(0, leftMs), MAX_TIMER_MS),
    );
  }

  #keep(
    framework: Framework,
    change: { readonly [K in keyof FrameworkRecord]?: FrameworkRecord[K] | undefined },
  ): void {
    framework.record = frameworkRecordSchema.parse({ ...framework.record, ...change });
    this.options.store.write(recordName(framework.id), framework.record);
  }

  /** What a framework's live tasks use. */
  usedBy(framework: Framework): Amounts {
    return amountsOf(
      [...framework.tasks.values()]
        .filter(({ state }) => !isTerminal(state))
        .flatMap(({ task }) => [...task.resources]),
    );
  }
}

function recordName(frameworkId: string): string {
  return `frameworks/${encodeURIComponent(frameworkId)}`;
}
