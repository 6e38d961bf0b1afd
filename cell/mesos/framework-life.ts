/** What becomes of frameworks: they subscribe, fail over, hang up, come back in time or are removed for ever. */
import type { FrameworkInfo, SchedulerEvent, TaskStatus } from '../../activities/mesos/types.ts';
import { checkDrained } from './agent-draining.ts';
import type { EventStream } from './event-stream.ts';
import { Framework, type FrameworkRecord, frameworkRecordSchema, type MasterTask } from './framework.ts';
import type { AgentTask } from './link.ts';
import type { Master } from './master.ts';
import { operatorEvents } from './operator-events.ts';

/** Mesos' `--max_completed_frameworks`. */
const MAX_COMPLETED_FRAMEWORKS = 50;
/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2_147_483_647;

/** Reads the frameworks of an earlier run. */
export function recoverFrameworks(master: Master): void {
  const { store } = master.options;
  const records = store.list('frameworks').flatMap((name) => store.read(name, frameworkRecordSchema) ?? []);
  for (const record of records.sort((a, b) => (a.removedAt ?? 0) - (b.removedAt ?? 0))) {
    const framework = new Framework(record);
    if (record.removedAt !== undefined) {
      master.completedFrameworks.set(record.id, framework);
      continue;
    }
    framework.recovered = true;
    master.frameworks.set(record.id, framework);
    if (record.disconnectedAt === undefined) keep(master, framework, { disconnectedAt: Date.now() });
    awaitFailover(master, framework);
  }
}

/** A framework known only from its tasks: its record was lost. */
export function recoverFramework(master: Master, { frameworkId: id, frameworkInfo: info }: AgentTask): Framework {
  const now = Date.now();
  const framework = new Framework({ id, info, registeredAt: now, reregisteredAt: now, disconnectedAt: now });
  framework.recovered = true;
  master.frameworks.set(id, framework);
  keep(master, framework, {});
  awaitFailover(master, framework);
  return framework;
}

/** A framework on a new stream. The caller has checked the info; a string is the ERROR it gets instead. */
export function subscribe(
  master: Master,
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
  stream: EventStream,
): Framework | string {
  const id = info.id?.value ?? master.newFrameworkId();
  if (master.completedFrameworks.has(id)) return 'Framework has been removed';
  const known = master.frameworks.get(id);
  const failedOver = known?.stream !== undefined;
  const now = Date.now();
  const record = { id, info: { ...info, id: { value: id } }, registeredAt: now, reregisteredAt: now };
  const framework = known ?? new Framework(record);
  master.frameworks.set(id, framework);
  if (known?.stream !== undefined) {
    known.stream.send({ type: 'ERROR', error: { message: 'Framework failed over' } } satisfies SchedulerEvent);
    known.stream.end();
    withdrawOffers(master, id);
  }
  clearTimeout(framework.failoverTimer);
  keep(master, framework, { ...record, registeredAt: framework.record.registeredAt, disconnectedAt: undefined });
  framework.stream = stream;
  framework.recovered = false;
  suppressOnly(framework, suppressedRoles);
  master.rounds.forget(id);
  stream.welcome({
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: id },
      heartbeat_interval_seconds: master.options.heartbeatMs / 1000,
      master_info: master.info(),
    },
  } satisfies SchedulerEvent);
  master.broadcast(
    known === undefined ? operatorEvents.frameworkAdded(framework) : operatorEvents.frameworkUpdated(framework),
  );
  for (const { link, connected } of master.agents.values()) if (connected) link.resend(id);
  // One that takes over was active all the time: what was withdrawn is offered again in the next round.
  if (!failedOver) master.rounds.soon();
  return framework;
}

/** Its connection broke: its offers go to others, its tasks go on until its failover timeout. Operators are not told. */
export function disconnected(master: Master, framework: Framework, stream: EventStream): void {
  if (framework.stream !== stream) return;
  framework.stream = undefined;
  withdrawOffers(master, framework.id);
  keep(master, framework, { disconnectedAt: Date.now() });
  awaitFailover(master, framework);
}

/** The master ends: every stream is closed, and counts as broken from now. */
export function disconnectAll(master: Master): void {
  for (const framework of master.frameworks.values()) {
    clearTimeout(framework.failoverTimer);
    if (framework.stream === undefined) continue;
    framework.stream.end();
    framework.stream = undefined;
    keep(master, framework, { disconnectedAt: Date.now() });
  }
}

export function updateInfo(
  master: Master,
  framework: Framework,
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
): void {
  keep(master, framework, { info: { ...info, id: { value: framework.id } } });
  suppressOnly(framework, suppressedRoles);
  master.broadcast(operatorEvents.frameworkUpdated(framework));
  master.rounds.soon();
}

/** For ever: its tasks are killed and its id is dead. */
export function removeFramework(master: Master, framework: Framework): void {
  clearTimeout(framework.failoverTimer);
  master.frameworks.delete(framework.id);
  master.completedFrameworks.set(framework.id, framework);
  // Kept before anybody can see it: a death right after must not bring the framework back.
  keep(master, framework, { removedAt: Date.now() });
  withdrawOffers(master, framework.id);
  master.rounds.forget(framework.id);
  for (const { link, connected } of master.agents.values()) if (connected) link.shutdownFramework(framework.id);
  const agents = new Set([...framework.tasks.values()].map(({ agentId }) => agentId));
  for (const task of [...framework.tasks.values(), ...framework.unreachable.values()]) {
    master.change(task, removedStatus(task), 'TASK_KILLED');
    framework.complete(task);
  }
  framework.unreachable.clear();
  framework.stream?.end();
  framework.stream = undefined;
  for (const id of [...master.completedFrameworks.keys()].slice(0, -MAX_COMPLETED_FRAMEWORKS)) {
    master.completedFrameworks.delete(id);
    master.options.store.remove(recordName(id));
  }
  master.broadcast(operatorEvents.frameworkRemoved(framework));
  for (const agentId of agents) checkDrained(master, agentId);
}

/** Seen by operators only: its framework is told nothing any more. */
function removedStatus({ task, frameworkId, agentId }: MasterTask): TaskStatus {
  return {
    task_id: task.task_id,
    state: 'TASK_KILLED',
    message: `Framework ${frameworkId} removed`,
    source: 'SOURCE_MASTER',
    reason: 'REASON_FRAMEWORK_REMOVED',
    agent_id: { value: agentId },
    timestamp: Date.now() / 1000,
  };
}

/** Without a word: the framework is not there to hear it. */
function withdrawOffers(master: Master, frameworkId: string): void {
  master.offers.takeAll({ frameworkId });
  master.inverseOffers.takeAll({ frameworkId });
  master.inverseOffers.forgetFilters(frameworkId);
}

function suppressOnly(framework: Framework, roles: readonly string[]): void {
  framework.suppressed.clear();
  for (const role of roles) framework.suppressed.add(role);
}

function awaitFailover(master: Master, framework: Framework): void {
  const since = framework.record.disconnectedAt ?? Date.now();
  const leftMs = since + (framework.info.failover_timeout ?? 0) * 1000 - Date.now();
  framework.failoverTimer = setTimeout(
    () => (leftMs > MAX_TIMER_MS ? awaitFailover(master, framework) : removeFramework(master, framework)),
    Math.min(Math.max(0, leftMs), MAX_TIMER_MS),
  );
}

function keep(
  master: Master,
  framework: Framework,
  change: { readonly [K in keyof FrameworkRecord]?: FrameworkRecord[K] | undefined },
): void {
  framework.record = frameworkRecordSchema.parse({ ...framework.record, ...change });
  master.options.store.write(recordName(framework.id), framework.record);
}

function recordName(frameworkId: string): string {
  return `frameworks/${encodeURIComponent(frameworkId)}`;
}
