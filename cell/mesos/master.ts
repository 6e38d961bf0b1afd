/**
 * The master: its books, and what happens to offers and tasks in them. What becomes of frameworks is in
 * framework-life.ts; of agents in agent-life.ts, agent-draining.ts and agent-removal.ts; of machines in
 * maintenance-orders.ts; master-life.ts starts and ends it all.
 */
import { randomUUID } from 'node:crypto';
import type { TaskInfo, TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import { isTerminal } from '../../activities/mesos/types.ts';
import type { AgentEntry } from './agent-entry.ts';
import { type Standing, standingOf } from './agent-orders.ts';
import { AgentRegistry } from './agent-registry.ts';
import { AllocationRounds, type Cluster } from './allocation-rounds.ts';
import type { EventStream } from './event-stream.ts';
import type { Framework, MasterTask } from './framework.ts';
import { InverseOffers } from './inverse-offers.ts';
import type { AgentReports, KillOrder } from './link.ts';
import type { MachineId } from './machine.ts';
import { type Maintenance, maintenanceSchema, NO_MAINTENANCE } from './maintenance.ts';
import { OfferBook, type OutstandingOffer } from './offer-book.ts';
import { operatorEvents } from './operator-events.ts';
import { type Amounts, add, amountsOf, subtract } from './resources.ts';
import type { Store } from './store.ts';
import { roleOf, withStatus } from './task-views.ts';
import { VERSION } from './version.ts';

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
  /** How long an agent of an earlier run may take to register with this one before it counts as unreachable. */
  readonly agentReregisterTimeoutMs: number;
  /** An operator says that a machine is up again: its agents may be started. */
  readonly machineUp: (machine: MachineId) => void;
  /** True for an agent that is not to be offered; only fault switches say so. */
  readonly isWithheld?: (agentId: string) => boolean;
}

export class Master implements AgentReports, Cluster {
  /** New at each start, as Mesos' is: ids of offers, agents and frameworks begin with it and never repeat. */
  readonly id: string = randomUUID();
  readonly startTime: number = Date.now() / 1000;
  readonly options: MasterOptions;
  readonly frameworks: Map<string, Framework> = new Map();
  /** Removed ones, oldest first. */
  readonly completedFrameworks: Map<string, Framework> = new Map();
  /** The registered ones. */
  readonly agents: Map<string, AgentEntry> = new Map();
  readonly registry: AgentRegistry;
  readonly offers: OfferBook;
  readonly inverseOffers: InverseOffers = new InverseOffers();
  readonly subscribers: Set<EventStream> = new Set();
  readonly rounds: AllocationRounds = new AllocationRounds(this);
  /** Machines that had an agent or were scheduled, in this run; each maybe several times. */
  readonly machinesSeen: MachineId[] = [];
  /** Runs until the agents of an earlier run had their time to register. */
  recoveryTimer: NodeJS.Timeout | undefined;
  #maintenance: Maintenance;
  #nextFramework = 0;
  #nextAgent = 0;

  constructor(options: MasterOptions) {
    this.options = options;
    this.#maintenance = options.store.read('maintenance', maintenanceSchema) ?? NO_MAINTENANCE;
    this.registry = new AgentRegistry(options.store);
    this.offers = new OfferBook(this.id);
  }

  get maintenance(): Maintenance {
    return this.#maintenance;
  }

  /** Keeps it before anybody can see it. */
  keepMaintenance(maintenance: Maintenance): void {
    this.options.store.write('maintenance', maintenance);
    this.#maintenance = maintenance;
  }

  newFrameworkId(): string {
    this.#nextFramework += 1;
    return `${this.id}-${String(this.#nextFramework - 1).padStart(4, '0')}`;
  }

  newAgentId(): string {
    this.#nextAgent += 1;
    return `${this.id}-S${this.#nextAgent - 1}`;
  }

  standing(agentId: string): Standing {
    return standingOf(this.registry.get(agentId), this.agents.has(agentId));
  }

  // Offers

  /** Takes back what of an offer is not used; the framework does not want it for `refuseSeconds`. */
  refuse(offer: OutstandingOffer, amounts: Amounts, refuseSeconds: number): void {
    this.offers.take(offer.id);
    this.rounds.refuse(offer, amounts, refuseSeconds);
  }

  /** Takes back every offer of an agent, and then every inverse offer, and tells their frameworks. */
  rescind(agentId: string): void {
    for (const { id, frameworkId } of this.offers.takeAll({ agentId })) {
      this.frameworks.get(frameworkId)?.tell({ type: 'RESCIND', rescind: { offer_id: { value: id } } });
    }
    for (const { id, framework_id } of this.inverseOffers.takeAll({ agentId })) {
      this.frameworks
        .get(framework_id.value)
        ?.tell({ type: 'RESCIND_INVERSE_OFFER', rescind_inverse_offer: { inverse_offer_id: id } });
    }
  }

  /** What is on offer of agents that are withheld now is rescinded; what was withheld is offered. */
  withheldChanged(): void {
    for (const agentId of this.agents.keys()) if (this.isWithheld(agentId)) this.rescind(agentId);
    this.rounds.soon();
  }

  isWithheld(agentId: string): boolean {
    return this.options.isWithheld?.(agentId) === true;
  }

  suppress(framework: Framework, roles: readonly string[] | undefined): void {
    for (const role of roles ?? framework.roles) framework.suppressed.add(role);
  }

  revive(framework: Framework, roles: readonly string[] | undefined): void {
    const revived = roles ?? framework.roles;
    for (const role of revived) framework.suppressed.delete(role);
    this.rounds.forget(framework.id, revived);
    this.rounds.run();
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

  statusUpdate(agentId: string, frameworkId: string, status: TaskStatus, latest: TaskState): void {
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined || this.agents.get(agentId)?.connected !== true) return;
    framework.tell({ type: 'UPDATE', update: { status } });
    const task = framework.tasks.get(status.task_id.value);
    if (task?.agentId === agentId) this.change(task, status, latest);
  }

  /** Notes a status of a task, frees what it used when that was its end, and tells the operators. */
  change(task: MasterTask, status: TaskStatus, latest: TaskState): void {
    const held = !isTerminal(task.state) && task.state !== 'TASK_UNREACHABLE';
    if (held && (isTerminal(latest) || latest === 'TASK_UNREACHABLE')) {
      const entry = this.agents.get(task.agentId);
      if (entry !== undefined) entry.used = subtract(entry.used, amountsOf(task.task.resources));
    }
    if (!isTerminal(task.state)) task.state = latest;
    const { statuses, isNews } = withStatus(task.statuses, status);
    task.statuses = statuses;
    if (isNews) this.broadcast(operatorEvents.taskUpdated(task, status));
  }

  /** What a framework's live tasks use, of one role or of all. */
  usedBy(framework: Framework, role?: string): Amounts {
    return amountsOf(
      [...framework.tasks.values()]
        .filter(({ task, state }) => !isTerminal(state) && (role === undefined || roleOf(task) === role))
        .flatMap(({ task }) => [...task.resources]),
    );
  }

  // What is told

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
      version: VERSION.version,
      address: { hostname, ip, port },
      capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, {}],
    };
  }
}
