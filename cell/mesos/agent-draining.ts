/** What operators order of single agents: drain, deactivate, reactivate, mark gone; and what ends a drain. */

import { isTerminal } from '../../activities/mesos/types.ts';
import { machineIdOf, tasksOn } from './agent-entry.ts';
import { type OrderRefused, refuseDeactivation, refuseDrain, refuseGone, refuseReactivation } from './agent-orders.ts';
import type { DrainInfo } from './agent-registry.ts';
import { markGone } from './agent-removal.ts';
import type { Framework } from './framework.ts';
import { machineOf } from './maintenance.ts';
import type { Master } from './master.ts';

/** Takes an agent out of service: no offers, every task killed; ends as DRAINED, or gone if that was ordered. */
export function drainAgent(master: Master, id: string, config: DrainInfo['config']): OrderRefused | undefined {
  const entry = master.agents.get(id);
  const scheduled = entry && machineOf(master.maintenance, machineIdOf(entry.link))?.id;
  const refused = refuseDrain(id, master.standing(id), scheduled);
  if (refused !== undefined) return refused;
  const drain: DrainInfo = { state: 'DRAINING', config };
  master.registry.change(id, { drain, drainingSince: Date.now(), deactivated: true });
  if (entry === undefined) return undefined;
  master.rescind(id);
  entry.link.drain(drain);
  checkDrained(master, id);
  return undefined;
}

/** No more offers of it; its tasks go on. */
export function deactivateAgent(master: Master, id: string): OrderRefused | undefined {
  const refused = refuseDeactivation(master.standing(id));
  if (refused !== undefined) return refused;
  master.registry.change(id, { deactivated: true });
  if (master.agents.has(id)) master.rescind(id);
  return undefined;
}

/** Offers of it again, from the next round on. */
export function reactivateAgent(master: Master, id: string): OrderRefused | undefined {
  const refused = refuseReactivation(master.registry.get(id));
  if (refused !== undefined) return refused;
  master.registry.change(id, { drain: undefined, drainingSince: undefined, deactivated: false });
  // Mesos says so although it has kept the change: the agent is active when it comes back.
  return master.agents.has(id) ? undefined : { status: 409, text: 'Agent removed while processing the call' };
}

/** Idempotent. */
export function markAgentGone(master: Master, id: string): OrderRefused | undefined {
  const standing = master.standing(id);
  const refused = refuseGone(id, standing);
  if (refused === undefined && standing !== 'gone') markGone(master, id);
  return refused;
}

/** A framework has read an update; one that tells a task's end is the last the master must remember of it. */
export function acknowledge(
  master: Master,
  framework: Framework,
  { agentId, taskId, uuid }: { readonly agentId: string; readonly taskId: string; readonly uuid: string },
): void {
  const entry = master.agents.get(agentId);
  if (entry?.connected !== true) return;
  const task = framework.tasks.get(taskId);
  const last = task?.statuses.findLast((status) => status.uuid !== undefined);
  if (task !== undefined && last?.uuid === uuid && isTerminal(last.state)) framework.complete(task);
  entry.link.acknowledge(framework.id, taskId, uuid);
  checkDrained(master, agentId);
}

/** An agent has drained when every task on it has ended and every framework has acknowledged that. */
export function checkDrained(master: Master, id: string): void {
  const drain = master.registry.get(id)?.drain;
  if (drain?.state !== 'DRAINING' || !master.agents.has(id)) return;
  if (tasksOn(master.frameworks.values(), id).length > 0) return;
  if (drain.config.mark_gone) markGone(master, id);
  else master.registry.change(id, { drain: { ...drain, state: 'DRAINED' } });
}
