/** The master's figures, under the names that Mesos gives them. */
import { TASK_STATES, type TaskState } from '../../activities/mesos/types.ts';
import { isActive } from './agent-entry.ts';
import { durationText } from './duration.ts';
import type { Framework } from './framework.ts';
import type { Master } from './master.ts';
import { add, NOTHING, together } from './resources.ts';

/** How this master is set: flags of Mesos that have a meaning here, and those that say what it does not do. */
export function flags({ options }: Master): Record<string, string> {
  return {
    agent_ping_timeout: durationText(options.agentTimeoutMs / 5),
    agent_reregister_timeout: durationText(options.agentReregisterTimeoutMs),
    allocation_interval: durationText(options.allocationIntervalMs),
    allocator: 'hierarchical',
    authenticate_agents: 'false',
    authenticate_frameworks: 'false',
    authenticate_http_frameworks: 'false',
    authenticate_http_readonly: 'false',
    authenticate_http_readwrite: 'false',
    framework_sorter: 'drf',
    help: 'false',
    max_agent_ping_timeouts: '5',
    max_completed_frameworks: '50',
    max_completed_tasks_per_framework: '1000',
    max_operator_event_stream_subscribers: '1000',
    max_unreachable_tasks_per_framework: '1000',
    min_allocatable_resources: 'cpus:0.01|mem:32',
    port: String(options.port),
    quiet: 'false',
    registry: 'replicated_log',
    registry_strict: 'false',
    require_agent_domain: 'false',
    role_sorter: 'drf',
    root_submissions: 'true',
    version: 'false',
  };
}

/** Agents that may be offered, registered ones that may not, and those that nothing is heard of. */
export function countAgents({ agents, registry }: Master): {
  readonly active: number;
  readonly inactive: number;
  readonly unreachable: number;
} {
  const active = [...agents.values()].filter((entry) => isActive(entry, registry.get(entry.link.id))).length;
  const unreachable = registry.list().filter(({ unreachableSince }) => unreachableSince !== undefined).length;
  return { active, inactive: agents.size - active, unreachable };
}

/** How many tasks of these frameworks are, or were when they ended, in each state. */
function countStates(
  frameworks: Iterable<Pick<Framework, 'tasks' | 'unreachable' | 'completed'>>,
): Record<TaskState, number> {
  const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
  for (const { tasks, unreachable, completed } of frameworks) {
    for (const { state } of [...tasks.values(), ...unreachable.values(), ...completed]) counts[state] += 1;
  }
  return counts;
}

/** The states that `/state-summary` counts. */
const SUMMARY_STATES = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
] as const;

export function summarizeStates(frameworks: Parameters<typeof countStates>[0]): Record<string, number> {
  const counts = countStates(frameworks);
  return Object.fromEntries(SUMMARY_STATES.map((state) => [state, counts[state]]));
}

export function metrics(master: Master): Record<string, number> {
  const agents = [...master.agents.values()];
  const frameworks = [...master.frameworks.values()];
  const total = together(agents.reduce((sum, { link }) => add(sum, link.total), NOTHING));
  const used = together(agents.reduce((sum, entry) => add(sum, entry.used), NOTHING));
  const counts = countAgents(master);
  const figures: Record<string, number> = {
    'master/elected': 1,
    'master/uptime_secs': Date.now() / 1000 - master.startTime,
    'master/frameworks_active': frameworks.filter(({ connected }) => connected).length,
    'master/frameworks_connected': frameworks.filter(({ connected }) => connected).length,
    'master/frameworks_disconnected': frameworks.filter(({ connected }) => !connected).length,
    'master/frameworks_inactive': frameworks.filter(({ connected }) => !connected).length,
    'master/operator_event_stream_subscribers': master.subscribers.size,
    'master/outstanding_offers': master.offers.list().length,
    'master/slaves_active': counts.active,
    'master/slaves_connected': agents.filter(({ connected }) => connected).length,
    'master/slaves_disconnected': agents.filter(({ connected }) => !connected).length,
    'master/slaves_inactive': counts.inactive,
    'master/slaves_unreachable': counts.unreachable,
  };
  for (const name of ['cpus', 'mem', 'disk', 'gpus']) {
    const [have, use] = [total.scalars.get(name) ?? 0, used.scalars.get(name) ?? 0];
    figures[`master/${name}_total`] = have;
    figures[`master/${name}_used`] = use;
    figures[`master/${name}_percent`] = have === 0 ? 0 : use / have;
  }
  const states = countStates([...frameworks, ...master.completedFrameworks.values()]);
  for (const state of TASK_STATES) {
    if (state !== 'TASK_UNKNOWN') figures[`master/tasks_${state.slice(5).toLowerCase()}`] = states[state];
  }
  return figures;
}
