/** The events of the operator stream, and the pieces of the operator API they share with its answers. */
import type { TaskStatus } from '../../activities/mesos/types.ts';
import { type AgentEntry, isActive } from './agent-entry.ts';
import type { AgentRecord } from './agent-registry.ts';
import type { Framework, MasterTask } from './framework.ts';
import type { AgentLink } from './link.ts';
import { resourcesOf } from './resources.ts';
import { operatorTask } from './task-views.ts';
import { AGENT_CAPABILITIES, VERSION } from './version.ts';

export const operatorEvents = {
  frameworkAdded: (framework: Framework) => ({
    type: 'FRAMEWORK_ADDED',
    framework_added: { framework: toldFramework(framework) },
  }),
  frameworkUpdated: (framework: Framework) => ({
    type: 'FRAMEWORK_UPDATED',
    framework_updated: { framework: toldFramework(framework) },
  }),
  frameworkRemoved: ({ info }: Framework) => ({
    type: 'FRAMEWORK_REMOVED',
    framework_removed: { framework_info: info },
  }),
  agentAdded: (entry: AgentEntry, record: AgentRecord | undefined) => ({
    type: 'AGENT_ADDED',
    agent_added: { agent: operatorAgent(entry, record) },
  }),
  agentRemoved: (id: string) => ({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: id } } }),
  taskAdded: (task: MasterTask) => ({ type: 'TASK_ADDED', task_added: { task: operatorTask(task) } }),
  /** The task's state is the newest that its agent knows, which may be ahead of the status. */
  taskUpdated: ({ frameworkId, state }: MasterTask, { data: _, ...status }: TaskStatus) => ({
    type: 'TASK_UPDATED',
    task_updated: { framework_id: { value: frameworkId }, status, state },
  }),
};

/** In events a framework that was never removed has a time of that too: zero. */
function toldFramework(framework: Framework): object {
  return {
    ...operatorFramework(framework),
    unregistered_time: { nanoseconds: (framework.record.removedAt ?? 0) * 1e6 },
  };
}

/** Without what changes with every offer; answers add that. */
export function operatorFramework({ info, record, connected, recovered }: Framework): object {
  return {
    framework_info: info,
    active: connected,
    connected,
    recovered,
    registered_time: { nanoseconds: record.registeredAt * 1e6 },
    reregistered_time: { nanoseconds: record.reregisteredAt * 1e6 },
    ...(record.removedAt === undefined ? {} : { unregistered_time: { nanoseconds: record.removedAt * 1e6 } }),
  };
}

export function operatorAgent(entry: AgentEntry, record: AgentRecord | undefined): object {
  const { link, registeredTime, reregisteredTime } = entry;
  return {
    agent_info: agentInfo(link),
    active: isActive(entry, record),
    deactivated: record?.deactivated === true,
    version: VERSION.version,
    pid: `slave(1)@${link.ip}:${link.port}`,
    registered_time: { nanoseconds: registeredTime * 1e9 },
    ...(reregisteredTime === undefined ? {} : { reregistered_time: { nanoseconds: reregisteredTime * 1e9 } }),
    total_resources: resourcesOf(link.total, { format: 'both' }),
    capabilities: AGENT_CAPABILITIES.map((type) => ({ type })),
    ...(record?.drain === undefined ? {} : { drain_info: record.drain }),
    ...(record?.drainingSince === undefined
      ? {}
      : { estimated_drain_start_time: { nanoseconds: record.drainingSince * 1e6 } }),
  };
}

/** As an agent describes itself. */
export function agentInfo({ id, hostname, port, total, attributes }: AgentLink): Record<string, unknown> {
  return { hostname, port, resources: resourcesOf(total), attributes, id: { value: id }, checkpoint: true };
}
