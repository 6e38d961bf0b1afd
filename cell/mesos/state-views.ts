/** `/state` and its relatives: the old JSON of Mesos, which dashboards and discovery tools read. */

import { type AgentEntry, isActive, tasksOn } from './agent-entry.ts';
import { flatAttributes } from './attributes.ts';
import type { Framework, MasterTask } from './framework.ts';
import type { Master } from './master.ts';
import { countAgents, flags, summarizeStates } from './master-figures.ts';
import { offeredResources } from './offer-book.ts';
import { type Amounts, add, amountsOf, resourcesOf, together, unreservedOf } from './resources.ts';
import { rolesOf } from './roles.ts';
import { byRole, flatLabels, flatResources, stateTask, usedResources } from './task-views.ts';
import { AGENT_CAPABILITIES, MASTER_CAPABILITIES, VERSION } from './version.ts';
import { double } from './wire-json.ts';

export function stateView(master: Master): unknown {
  const { hostname, port, ip } = master.options;
  const pid = `master@${ip}:${port}`;
  return {
    ...VERSION,
    start_time: master.startTime,
    elected_time: master.startTime,
    id: master.id,
    pid,
    hostname,
    capabilities: MASTER_CAPABILITIES,
    activated_slaves: countAgents(master).active,
    deactivated_slaves: countAgents(master).inactive,
    unreachable_slaves: countAgents(master).unreachable,
    leader: pid,
    leader_info: { id: master.id, pid, port, hostname },
    flags: flags(master),
    slaves: [...master.agents.values()].map((entry) => agentView(master, entry)),
    recovered_slaves: recoveredView(master),
    frameworks: [...master.frameworks.values()].map((framework) => frameworkView(master, framework)),
    completed_frameworks: [...master.completedFrameworks.values()].map((framework) => frameworkView(master, framework)),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

export function stateSummary(master: Master): unknown {
  const frameworks = [...master.frameworks.values()];
  return {
    hostname: master.options.hostname,
    slaves: [...master.agents.values()].map((entry) => ({
      ...agentView(master, entry),
      ...summarizeStates(frameworks.map((framework) => on(entry.link.id, framework))),
      framework_ids: frameworks
        .filter(({ tasks }) => [...tasks.values()].some(({ agentId }) => agentId === entry.link.id))
        .map(({ id }) => id),
    })),
    frameworks: frameworks.map((framework) => ({
      ...frameworkHead(master, framework),
      ...summarizeStates([framework]),
      slave_ids: [...new Set([...framework.tasks.values()].map(({ agentId }) => agentId))],
    })),
  };
}

/** @param id only this agent, when given */
export function slavesView(master: Master, id: string | null): unknown {
  const full = ({ link }: AgentEntry) => ({
    reserved_resources_full: byRole(link.total, (reserved) => resourcesOf(reserved, { format: 'both' })),
    unreserved_resources_full: resourcesOf(unreservedOf(link.total), { format: 'both' }),
    used_resources_full: usedResources(tasksOn(master.frameworks.values(), link.id)),
    offered_resources_full: offeredResources(master.offers.list({ agentId: link.id }), 'both'),
  });
  return {
    slaves: [...master.agents.values()]
      .filter(({ link }) => id === null || link.id === id)
      .map((entry) => ({ ...agentView(master, entry), ...full(entry) })),
    recovered_slaves: recoveredView(master).filter((agent) => id === null || agent.id === id),
  };
}

/** @param id only this framework, when given */
export function frameworksView(master: Master, id: string | null): unknown {
  const show = (frameworks: ReadonlyMap<string, Framework>) =>
    [...frameworks.values()]
      .filter((framework) => id === null || framework.id === id)
      .map((framework) => frameworkView(master, framework));
  return {
    frameworks: show(master.frameworks),
    completed_frameworks: show(master.completedFrameworks),
    unregistered_frameworks: [],
  };
}

/** Newest first unless `order=asc`; `limit` is 100 unless it is a number, as in Mesos. */
export function tasksView(master: Master, query: URLSearchParams): unknown {
  const [frameworkId, taskId] = [query.get('framework_id'), query.get('task_id')];
  const tasks = [...master.frameworks.values(), ...master.completedFrameworks.values()]
    .filter(({ id }) => frameworkId === null || id === frameworkId)
    .flatMap(({ tasks, unreachable, completed }) => [...completed, ...unreachable.values(), ...tasks.values()])
    .filter(({ task }) => taskId === null || task.task_id.value === taskId)
    .sort((a, b) => firstTime(a) - firstTime(b));
  if (query.get('order') !== 'asc') tasks.reverse();
  const offset = integer(query.get('offset')) ?? 0;
  return { tasks: tasks.slice(offset, offset + (integer(query.get('limit')) ?? 100)).map(stateTask) };
}

export function rolesView(master: Master): unknown {
  return {
    roles: rolesOf(master).map(({ name, frameworks, allocated, offered, reserved }) => ({
      name,
      weight: 1,
      quota: { role: name, guarantee: {}, limit: {}, consumed: counted(add(reserved, unreservedOf(allocated))) },
      resources: counted(add(allocated, offered)),
      allocated: counted(allocated),
      offered: counted(offered),
      reserved: counted(reserved),
      frameworks: frameworks.map(({ id }) => id),
    })),
  };
}

function agentView(master: Master, entry: AgentEntry): object {
  const { link, used, registeredTime, reregisteredTime } = entry;
  const record = master.registry.get(link.id);
  const total = flatResources(link.total);
  return {
    id: link.id,
    hostname: link.hostname,
    port: link.port,
    attributes: flatAttributes(link.attributes),
    pid: `slave(1)@${link.ip}:${link.port}`,
    registered_time: registeredTime,
    reregistered_time: reregisteredTime,
    resources: total,
    used_resources: flatResources(used),
    offered_resources: flatResources(master.offers.on({ agentId: link.id })),
    reserved_resources: byRole(link.total, flatResources),
    unreserved_resources: flatResources(unreservedOf(link.total)),
    active: isActive(entry, record),
    deactivated: record?.deactivated === true,
    version: VERSION.version,
    capabilities: AGENT_CAPABILITIES,
    drain_info: record?.drain,
    estimated_drain_start_time_seconds: record?.drainingSince && record.drainingSince / 1000,
  };
}

function frameworkHead(master: Master, framework: Framework): object {
  const { id, info, connected, recovered } = framework;
  return {
    id,
    name: info.name,
    used_resources: flatResources(master.usedBy(framework)),
    offered_resources: flatResources(master.offers.on({ frameworkId: id })),
    capabilities: (info.capabilities ?? []).flatMap(({ type }) => type ?? []),
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active: connected,
    connected,
    recovered,
  };
}

function frameworkView(master: Master, framework: Framework): object {
  const { id, info, record } = framework;
  const show = (tasks: Iterable<MasterTask>) => [...tasks].map(stateTask);
  return {
    ...frameworkHead(master, framework),
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: record.registeredAt / 1000,
    ...(record.reregisteredAt === record.registeredAt ? {} : { reregistered_time: record.reregisteredAt / 1000 }),
    unregistered_time: (record.removedAt ?? 0) / 1000,
    principal: info.principal,
    resources: flatResources(add(master.usedBy(framework), master.offers.on({ frameworkId: id }))),
    ...(framework.has('MULTI_ROLE') ? { roles: framework.roles } : { role: framework.roles[0] }),
    tasks: show(framework.tasks.values()),
    unreachable_tasks: show(framework.unreachable.values()),
    completed_tasks: show(framework.completed),
    offers: master.offers.list({ frameworkId: id }).map((offer) => ({
      id: offer.id,
      framework_id: id,
      allocation_info: { role: offer.role },
      slave_id: offer.agentId,
      resources: flatResources(amountsOf(offer.offer.resources)),
    })),
    executors: [],
    labels: flatLabels(info.labels),
    offer_constraints: {},
  };
}

/** Agents of an earlier run that have not registered with this one. */
function recoveredView(master: Master): { readonly id: string }[] {
  return master.registry
    .list()
    .filter(({ id }) => master.standing(id) === 'recovered')
    .map(({ id, info }) => ({ id, hostname: info['hostname'], port: info['port'] }));
}

/** Those of a framework's tasks that are on one agent. */
function on(agentId: string, framework: Framework): Pick<Framework, 'tasks' | 'unreachable' | 'completed'> {
  const part = (tasks: ReadonlyMap<string, MasterTask>) =>
    new Map([...tasks].filter(([, task]) => task.agentId === agentId));
  return {
    tasks: part(framework.tasks),
    unreachable: part(framework.unreachable),
    completed: framework.completed.filter((task) => task.agentId === agentId),
  };
}

/** One that nothing was told of is the oldest. */
function firstTime(task: MasterTask): number {
  return task.statuses[0]?.timestamp ?? Number.NEGATIVE_INFINITY;
}

function integer(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Ranges as the number of their members. */
function counted(all: Amounts): Record<string, unknown> {
  const amounts = together(all);
  const ranges = [...amounts.ranges].map(([name, list]) => [
    name,
    double(list.reduce((count, { begin, end }) => count + end - begin + 1, 0)),
  ]);
  return { ...Object.fromEntries(amounts.scalars), ...Object.fromEntries(ranges) };
}
