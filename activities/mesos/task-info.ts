/** What `runTask` tells Mesos to launch; pure but for the ids. */
import { randomUUID } from 'node:crypto';
import type { RunnableTask } from './run-task-options.ts';
import type { Id, Resource, TaskInfo } from './types.ts';

const DEFAULT_GRACE_MS = 3_000;

/** Never used twice: Mesos may still have news of the old one. */
export function newTaskId(name: string): string {
  return `${name}.${randomUUID()}`;
}

/** Between SIGTERM and SIGKILL. */
export function killGraceMs(task: RunnableTask): number {
  return task.killGraceMs ?? DEFAULT_GRACE_MS;
}

/** The task as it is launched on what was offered. */
export function taskInfo(
  task: RunnableTask,
  place: { readonly taskId: string; readonly agentId: Id; readonly resources: readonly Resource[] },
): TaskInfo {
  const variables = Object.entries(task.environment ?? {}).map(([name, value]) => ({ name, value }));
  return {
    name: task.name,
    task_id: { value: place.taskId },
    agent_id: place.agentId,
    resources: place.resources,
    command: { ...(task.command ?? { shell: false }), environment: { variables } },
    ...(task.container === undefined ? {} : { container: task.container }),
    ...(task.labels === undefined ? {} : { labels: task.labels }),
    kill_policy: { grace_period: { nanoseconds: String(killGraceMs(task) * 1_000_000) } },
  };
}
