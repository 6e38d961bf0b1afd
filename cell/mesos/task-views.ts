/** A task as the operator API and as the state endpoints show it. */
import {
  isTerminal,
  type Label,
  type Labels,
  type Resource,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '../../activities/mesos/types.ts';
import { type Amounts, amountsOf, rangesText, reservedOf, resourcesOf, together } from './resources.ts';

const CHECK_REASONS: ReadonlySet<string> = new Set([
  'REASON_TASK_CHECK_STATUS_UPDATED',
  'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
]);

export interface ViewedTask {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly task: TaskInfo;
  readonly state: TaskState;
  /** Those the framework was told, oldest first. */
  readonly statuses: readonly TaskStatus[];
}

/**
 * The statuses of a task with one more. The newest of each stretch of the same state is kept, without `data`; news is
 * what operators are told: a new state, or a check's result. See Mesos' `Master::updateTask`.
 */
export function withStatus(
  statuses: readonly TaskStatus[],
  { data: _, ...status }: TaskStatus,
): { readonly statuses: readonly TaskStatus[]; readonly isNews: boolean } {
  if (status.uuid !== undefined && statuses.some(({ uuid }) => uuid === status.uuid))
    return { statuses, isNews: false };
  const same = statuses.at(-1)?.state === status.state;
  return {
    statuses: [...(same ? statuses.slice(0, -1) : statuses), status],
    isNews: !same || CHECK_REASONS.has(status.reason ?? ''),
  };
}

/** The role whose resources a task uses: said by the task, or by the master when it accepted it. */
export function roleOf(task: TaskInfo): string {
  return task.resources[0]?.allocation_info?.role ?? '*';
}

/** What live tasks use, for each role they use it of. */
export function usedResources(tasks: Iterable<ViewedTask>): Resource[] {
  const live = [...tasks].filter(({ state }) => !isTerminal(state)).map(({ task }) => task);
  return [...Map.groupBy(live, roleOf)].flatMap(([role, ofRole]) =>
    resourcesOf(amountsOf(ofRole.flatMap((task) => [...task.resources])), { format: 'both', allocatedTo: role }),
  );
}

/** In the operator API's words. */
export function operatorTask({ task, frameworkId, agentId, state, statuses }: ViewedTask): unknown {
  const last = statuses.findLast(({ uuid }) => uuid !== undefined);
  return {
    name: task.name,
    task_id: task.task_id,
    framework_id: { value: frameworkId },
    agent_id: { value: agentId },
    state,
    resources: resourcesOf(amountsOf(task.resources), { allocatedTo: roleOf(task) }),
    ...(statuses.length === 0 ? {} : { statuses }),
    ...(last === undefined ? {} : { status_update_state: last.state, status_update_uuid: last.uuid }),
    labels: task.labels,
    discovery: task.discovery,
    container: task.container,
    health_check: task.health_check,
    kill_policy: task.kill_policy,
  };
}

/** In the state endpoints' words: `slave_id`, labels as a flat list, statuses without uuid, source, reason, message. */
export function stateTask({ task, frameworkId, agentId, state, statuses }: ViewedTask): unknown {
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: frameworkId,
    executor_id: '',
    slave_id: agentId,
    state,
    resources: flatResources(amountsOf(task.resources)),
    role: roleOf(task),
    statuses: statuses.map((status) => ({
      state: status.state,
      timestamp: status.timestamp,
      labels: flatLabels(status.labels),
      container_status: stateContainerStatus(status),
      healthy: status.healthy,
    })),
    labels: flatLabels(task.labels),
    discovery: task.discovery,
    container: task.container,
    health_check: task.health_check,
  };
}

/** Always with the four scalars of Mesos, zero or not; `ports` only if there are any. */
export function flatResources(amounts: Amounts): Record<string, unknown> {
  const all = together(amounts);
  const { disk = 0, mem = 0, gpus = 0, cpus = 0, ...others } = Object.fromEntries(all.scalars);
  const ranges = [...all.ranges].map(([name, list]) => [name, rangesText(list)]);
  return { disk, mem, gpus, cpus, ...others, ...Object.fromEntries(ranges) };
}

/** What is reserved for each role, shown as `show` does. */
export function byRole<T>(amounts: Amounts, show: (reserved: Amounts) => T): Record<string, T> {
  return Object.fromEntries([...reservedOf(amounts)].map(([role, reserved]) => [role, show(reserved)]));
}

/** Undefined when there are none: the state endpoints leave empty labels out. */
export function flatLabels(labels: Labels | undefined): readonly Label[] | undefined {
  return labels?.labels === undefined || labels.labels.length === 0 ? undefined : labels.labels;
}

function stateContainerStatus(status: TaskStatus): unknown {
  if (status.container_status === undefined) return undefined;
  const { executor_pid: _, ...shown } = status.container_status;
  return shown;
}
