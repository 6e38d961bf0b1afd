/** How agents come: those of an earlier run are expected, and whoever registers tells of its tasks. */
import type { TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import { isTerminal } from '../../activities/mesos/types.ts';
import { checkDrained } from './agent-draining.ts';
import { type AgentEntry, machineIdOf } from './agent-entry.ts';
import { markUnreachable } from './agent-removal.ts';
import type { MasterTask } from './framework.ts';
import { recoverFramework } from './framework-life.ts';
import type { AgentLink, AgentTask } from './link.ts';
import { machineOf } from './maintenance.ts';
import type { Master } from './master.ts';
import { agentInfo, operatorEvents } from './operator-events.ts';
import { add, amountsOf, NOTHING } from './resources.ts';
import { withStatus } from './task-views.ts';

/** Reads the agents of an earlier run; those that do not register in time are unreachable. */
export function recoverAgents(master: Master): void {
  master.registry.recover();
  master.recoveryTimer = setTimeout(() => {
    for (const { id } of master.registry.list()) {
      if (master.standing(id) === 'recovered') markUnreachable(master, id);
    }
  }, master.options.agentReregisterTimeoutMs);
}

/**
 * An agent that is new, or that this master heard nothing of for a while. One that may not come is told to shut down:
 * then the answer is false.
 */
export function registerAgent(master: Master, link: AgentLink): boolean {
  const { id } = link;
  const standing = master.standing(id);
  const refusal =
    standing === 'gone'
      ? 'Agent has been marked gone'
      : machineOf(master.maintenance, machineIdOf(link))?.mode === 'DOWN'
        ? 'Machine is `DOWN`'
        : undefined;
  if (refusal !== undefined) {
    link.shutdown(refusal);
    return false;
  }
  const known = master.agents.get(id);
  clearTimeout(known?.timer);
  const now = Date.now() / 1000;
  const entry: AgentEntry = {
    link,
    registeredTime: known?.registeredTime ?? now,
    reregisteredTime: standing === 'unknown' ? undefined : now,
    connected: true,
    used: NOTHING,
    timer: undefined,
  };
  const record = master.registry.get(id) ?? { id, deactivated: false, info: {} };
  master.registry.keep({ ...record, info: agentInfo(link) });
  master.registry.change(id, { unreachableSince: undefined });
  master.agents.set(id, entry);
  master.machinesSeen.push(machineIdOf(link));
  for (const told of link.tasks()) adopt(master, entry, told, standing === 'unreachable');
  if (known === undefined) master.broadcast(operatorEvents.agentAdded(entry, master.registry.get(id)));
  if (record.drain !== undefined) link.drain(record.drain);
  checkDrained(master, id);
  master.rounds.soon();
  return true;
}

/** An agent that has started anew, with another id: the old one will not come back. */
export function forgetAgent(master: Master, agentId: string): void {
  if (master.standing(agentId) === 'recovered' || master.standing(agentId) === 'unreachable') {
    master.registry.remove(agentId);
  }
}

/** A task that its agent tells of when it registers. */
function adopt(master: Master, entry: AgentEntry, told: AgentTask, returned: boolean): void {
  const { link } = entry;
  const taskId = told.task.task_id.value;
  const removed = master.completedFrameworks.get(told.frameworkId);
  const remembered = master.frameworks.get(told.frameworkId) ?? removed;
  // What ended for a framework that is itself forgotten is of interest to nobody.
  if (remembered === undefined && told.completed) return;
  const framework = remembered ?? recoverFramework(master, told);
  if (removed !== undefined && !told.completed) link.shutdownFramework(told.frameworkId);
  const { task, state } = told;
  const statuses = told.statuses.reduce<readonly TaskStatus[]>((list, status) => withStatus(list, status).statuses, []);
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
  const isNew = !framework.tasks.has(taskId);
  framework.tasks.set(taskId, known);
  if (isNew) master.broadcast(operatorEvents.taskAdded(known));
  if (!isTerminal(state)) entry.used = add(entry.used, amountsOf(task.resources));
  if (returned) framework.tell({ type: 'UPDATE', update: { status: returnedStatus(known, state) } });
}

/** What a framework is told of a task whose agent was unreachable and is back. */
function returnedStatus({ task, agentId, statuses }: MasterTask, state: TaskState): TaskStatus {
  const { healthy, container_status } = statuses.at(-1) ?? {};
  return {
    task_id: task.task_id,
    state,
    message: 'Unreachable agent re-reregistered',
    source: 'SOURCE_MASTER',
    reason: 'REASON_AGENT_REREGISTERED',
    agent_id: { value: agentId },
    timestamp: Date.now() / 1000,
    ...(healthy === undefined ? {} : { healthy }),
    ...(container_status === undefined ? {} : { container_status }),
  };
}
