/** The events of the operator stream, and the pieces of the operator API they share with its answers. */
import type { TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import type { AgentEntry } from './agent-entry.ts';
import type { Framework, MasterTask } from './framework.ts';
import { resourcesOf } from './resources.ts';
import { operatorTask } from './task-views.ts';
import { AGENT_CAPABILITIES, VERSION } from './version.ts';

export const operatorEvents = {
  frameworkAdded: (framework: Framework) => ({
    type: 'FRAMEWORK_ADDED',
    framework_added: { framework: operatorFramework(framework) },
  }),
  frameworkUpdated: (framework: Framework) => ({
    type: 'FRAMEWORK_UPDATED',
    framework_updated: { framework: operatorFramework(framework) },
  }),
  frameworkRemoved: ({ info }: Framework) => ({
    type: 'FRAMEWORK_REMOVED',
    framework_removed: { framework_info: info },
  }),
  agentAdded: (entry: AgentEntry) => ({ type: 'AGENT_ADDED', agent_added: { agent: operatorAgent(entry) } }),
  taskAdded: (task: MasterTask) => ({ type: 'TASK_ADDED', task_added: { task: operatorTask(task) } }),
  /** @param state the newest that the agent knows, which may be ahead of the status */
  taskUpdated: (frameworkId: string, { data: _, ...status }: TaskStatus, state: TaskState) => ({
    type: 'TASK_UPDATED',
    task_updated: { framework_id: { value: frameworkId }, status, state },
  }),
};

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

export function operatorAgent({ link, connected, registeredTime, reregisteredTime }: AgentEntry): object {
  return {
    agent_info: {
      hostname: link.hostname,
      port: link.port,
      resources: resourcesOf(link.total),
      attributes: link.attributes,
      id: { value: link.id },
      checkpoint: true,
    },
    active: connected,
    deactivated: false,
    version: VERSION.version,
    pid: `slave(1)@${link.ip}:${link.port}`,
    registered_time: { nanoseconds: registeredTime * 1e9 },
    ...(reregisteredTime === undefined ? {} : { reregistered_time: { nanoseconds: reregisteredTime * 1e9 } }),
    total_resources: resourcesOf(link.total, { role: '*' }),
    capabilities: AGENT_CAPABILITIES.map((type) => ({ type })),
  };
}
