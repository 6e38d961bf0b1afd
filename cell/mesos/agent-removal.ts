/** How agents leave the books: they fall silent, are removed with their machine, or are gone for ever. */
import type { TaskStatus } from '../../activities/mesos/types.ts';
import type { AgentEntry } from './agent-entry.ts';
import type { Framework, MasterTask } from './framework.ts';
import type { Master } from './master.ts';
import { operatorEvents } from './operator-events.ts';

/**
 * Nothing is heard of an agent any more. Frameworks that do not checkpoint lose its tasks at once, the others after
 * `timeoutMs`; said again of an agent that is still within its time, the new time counts.
 */
export function agentDisconnected(
  master: Master,
  agentId: string,
  timeoutMs: number = master.options.agentTimeoutMs,
): void {
  const entry = master.agents.get(agentId);
  if (entry === undefined) return;
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => markUnreachable(master, agentId), timeoutMs);
  if (!entry.connected) return;
  entry.connected = false;
  master.rescind(agentId);
  for (const framework of master.frameworks.values()) {
    if (framework.info.checkpoint === true) continue;
    for (const task of tasksOf(framework, agentId)) {
      lose(master, framework, task, {
        state: 'TASK_LOST',
        message: `Agent ${entry.link.hostname} disconnected`,
        reason: 'REASON_AGENT_DISCONNECTED',
      });
    }
  }
}

/** Nothing was heard of it for so long that nobody knows what runs there. */
export function markUnreachable(master: Master, agentId: string): void {
  const entry = master.agents.get(agentId);
  const now = Date.now();
  master.registry.change(agentId, { unreachableSince: now });
  if (entry === undefined) return;
  const words = (framework: Framework) => ({
    state: framework.wordFor('TASK_UNREACHABLE'),
    message: 'health check timed out',
    reason: 'REASON_AGENT_REMOVED',
    unreachable_time: { nanoseconds: now * 1e6 },
  });
  removeEntry(master, entry, words, () => true);
}

/** An operator takes its machine down: it is shut down and forgotten. */
export function removeAgent(master: Master, entry: AgentEntry, cause: string): void {
  const { link } = entry;
  master.registry.remove(link.id);
  link.shutdown(cause);
  removeEntry(master, entry, () => ({
    state: 'TASK_LOST',
    message: `Agent ${link.hostname} removed: ${cause}`,
    reason: 'REASON_AGENT_REMOVED',
  }));
  master.inverseOffers.forgetAgent(link.id);
  master.broadcast(operatorEvents.agentRemoved(link.id));
}

/**
 * An operator says that it is gone for ever: it is shut down, if it can be reached, and so is whoever registers with
 * its id.
 */
export function markGone(master: Master, agentId: string): void {
  const message = 'Agent has been marked gone';
  const unreachable = master.standing(agentId) === 'unreachable';
  const record = { goneSince: Date.now(), unreachableSince: undefined, drain: undefined, drainingSince: undefined };
  master.registry.change(agentId, { ...record, deactivated: false });
  const words = (framework: Framework) => ({
    state: framework.wordFor('TASK_GONE_BY_OPERATOR'),
    message,
    reason: framework.has('PARTITION_AWARE') ? 'REASON_AGENT_REMOVED_BY_OPERATOR' : 'REASON_AGENT_REMOVED',
  });
  const entry = master.agents.get(agentId);
  if (entry !== undefined) {
    if (entry.connected) entry.link.shutdown(message);
    // What is TASK_LOST may run on, as far as Mesos goes, though it knows better (`Master::__removeSlave`).
    removeEntry(master, entry, words, (framework) => !framework.has('PARTITION_AWARE'));
  }
  if (!unreachable) return;
  for (const framework of master.frameworks.values()) {
    for (const task of [...framework.unreachable.values()].filter((each) => each.agentId === agentId)) {
      tell(master, framework, task, words(framework));
      framework.unreachable.delete(task.task.task_id.value);
      framework.complete(task);
    }
  }
}

type Words = Pick<TaskStatus, 'state' | 'message' | 'reason' | 'unreachable_time'>;

/**
 * Takes it from the books: its tasks, then its offers, then the word that it failed.
 *
 * @param stays frameworks whose tasks are listed as unreachable, not as completed
 */
function removeEntry(
  master: Master,
  entry: AgentEntry,
  words: (framework: Framework) => Words,
  stays: (framework: Framework) => boolean = () => false,
): void {
  const { id } = entry.link;
  clearTimeout(entry.timer);
  entry.connected = false;
  for (const framework of master.frameworks.values()) {
    for (const task of tasksOf(framework, id)) {
      lose(master, framework, task, words(framework), { stays: stays(framework) });
    }
  }
  master.agents.delete(id);
  master.rescind(id);
  for (const framework of master.frameworks.values()) {
    framework.tell({ type: 'FAILURE', failure: { agent_id: { value: id } } });
  }
}

/** The framework is told what its task is now; one that `stays` is listed as unreachable. */
function lose(
  master: Master,
  framework: Framework,
  task: MasterTask,
  words: Words,
  { stays = false }: { readonly stays?: boolean } = {},
): void {
  tell(master, framework, task, words);
  if (stays) framework.lose(task);
  else framework.complete(task);
}

function tell(master: Master, framework: Framework, task: MasterTask, words: Words): void {
  const status: TaskStatus = {
    task_id: task.task.task_id,
    state: words.state,
    message: words.message,
    source: 'SOURCE_MASTER',
    reason: words.reason,
    agent_id: { value: task.agentId },
    timestamp: Date.now() / 1000,
    ...(words.unreachable_time === undefined ? {} : { unreachable_time: words.unreachable_time }),
  };
  master.change(task, status, words.state);
  framework.tell({ type: 'UPDATE', update: { status } });
}

function tasksOf({ tasks }: Framework, agentId: string): MasterTask[] {
  return [...tasks.values()].filter((task) => task.agentId === agentId);
}
