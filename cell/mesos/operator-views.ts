/** What operators read through `/api/v1`: the answer of each call that changes nothing. */
import { type AgentEntry, tasksOn } from './agent-entry.ts';
import type { Framework, MasterTask } from './framework.ts';
import { maintenanceSchedule, maintenanceStatus } from './maintenance-orders.ts';
import type { Master } from './master.ts';
import { flags, metrics } from './master-figures.ts';
import { offeredResources } from './offer-book.ts';
import { operatorAgent, operatorFramework } from './operator-events.ts';
import { add, resourcesOf, together } from './resources.ts';
import { rolesOf } from './roles.ts';
import { operatorTask, usedResources } from './task-views.ts';
import { VERSION } from './version.ts';

/** By type; undefined leaves the answer's own part out. */
export const OPERATOR_READS: Readonly<Record<string, (master: Master) => unknown>> = {
  GET_HEALTH: () => ({ healthy: true }),
  GET_VERSION: () => ({ version_info: VERSION }),
  GET_FLAGS: (master) => ({ flags: Object.entries(flags(master)).map(([name, value]) => ({ name, value })) }),
  GET_METRICS: (master) => ({ metrics: Object.entries(metrics(master)).map(([name, value]) => ({ name, value })) }),
  GET_LOGGING_LEVEL: () => ({ level: 0 }),
  GET_MASTER: (master) => ({
    master_info: master.info(),
    start_time: master.startTime,
    elected_time: master.startTime,
  }),
  GET_AGENTS: getAgents,
  GET_FRAMEWORKS: getFrameworks,
  GET_TASKS: getTasks,
  GET_EXECUTORS: () => ({ executors: [] }),
  GET_OPERATIONS: () => ({}),
  GET_STATE: getState,
  GET_ROLES: getRoles,
  GET_WEIGHTS: () => undefined,
  GET_QUOTA: () => ({ status: {} }),
  GET_MAINTENANCE_STATUS: (master) => ({ status: maintenanceStatus(master) }),
  GET_MAINTENANCE_SCHEDULE: (master) => ({ schedule: maintenanceSchedule(master) }),
};

export function getState(master: Master): unknown {
  return {
    get_tasks: getTasks(master),
    get_executors: { executors: [] },
    get_frameworks: getFrameworks(master),
    get_agents: getAgents(master),
  };
}

function getTasks({ frameworks, completedFrameworks }: Master): unknown {
  const all = [...frameworks.values(), ...completedFrameworks.values()];
  const show = (tasks: (framework: Framework) => Iterable<MasterTask>) =>
    all.flatMap((framework) => [...tasks(framework)].map(operatorTask));
  return {
    tasks: show(({ tasks }) => tasks.values()),
    unreachable_tasks: show(({ unreachable }) => unreachable.values()),
    completed_tasks: show(({ completed }) => completed),
  };
}

function getFrameworks(master: Master): unknown {
  const { frameworks, completedFrameworks, offers } = master;
  return {
    frameworks: [...frameworks.values()].map((framework) => {
      const used = usedResources(framework.tasks.values());
      const out = offers.list({ frameworkId: framework.id });
      return {
        ...operatorFramework(framework),
        ...(out.length === 0
          ? {}
          : { offers: out.map((each) => ({ ...each.offer, resources: offeredResources([each], 'books') })) }),
        ...(used.length === 0 ? {} : { allocated_resources: used }),
        ...(out.length === 0 ? {} : { offered_resources: offeredResources(out, 'both') }),
        offer_constraints: {},
      };
    }),
    completed_frameworks: [...completedFrameworks.values()].map(operatorFramework),
  };
}

function getAgents(master: Master): unknown {
  const show = (entry: AgentEntry) => {
    const offered = master.offers.list({ agentId: entry.link.id });
    const used = usedResources(tasksOn(master.frameworks.values(), entry.link.id));
    return {
      ...operatorAgent(entry, master.registry.get(entry.link.id)),
      ...(used.length === 0 ? {} : { allocated_resources: used }),
      ...(offered.length === 0 ? {} : { offered_resources: offeredResources(offered, 'both') }),
    };
  };
  const recovered = master.registry.list().filter(({ id }) => master.standing(id) === 'recovered');
  return { agents: [...master.agents.values()].map(show), recovered_agents: recovered.map(({ info }) => info) };
}

function getRoles(master: Master): unknown {
  return {
    roles: rolesOf(master).map(({ name, frameworks, allocated, offered }) => {
      const { scalars } = together(add(allocated, offered));
      const sorted = new Map([...scalars].sort(([a], [b]) => (a < b ? -1 : 1)));
      return {
        name,
        weight: 1,
        frameworks: frameworks.map(({ id }) => ({ value: id })),
        resources: scalars.size === 0 ? undefined : resourcesOf({ scalars: sorted, ranges: new Map() }),
      };
    }),
  };
}
