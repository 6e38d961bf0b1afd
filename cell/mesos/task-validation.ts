/** Whether a task may be launched on accepted offers, in Mesos' words; pure. */
import type { TaskInfo } from '../../activities/mesos/types.ts';
import { idComplaint } from './framework.ts';
import { type Amounts, amountsOf, amountsText, contains, isNothing, resourcesOf } from './resources.ts';

export interface LaunchContext {
  readonly agentId: string;
  readonly role: string;
  /** What is left of the offers. */
  readonly available: Amounts;
  /** Live tasks of the framework. */
  readonly isTaken: (taskId: string) => boolean;
}

/** Undefined when the task may be launched. */
export function launchComplaint(task: TaskInfo, context: LaunchContext): string | undefined {
  const id = task.task_id.value;
  const wrongId = idComplaint(id);
  if (wrongId !== undefined) return wrongId;
  if (context.isTaken(id)) return `Task has duplicate ID: ${id}`;
  if (task.agent_id.value !== context.agentId) {
    return `Task uses invalid agent ${task.agent_id.value} while agent ${context.agentId} is expected`;
  }
  if (task.command === undefined && task.container?.docker === undefined) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  }
  if (task.container?.type === 'MESOS') return 'Containers of type MESOS are not supported by this cell';
  if (Number(task.kill_policy?.grace_period?.nanoseconds ?? 0) < 0) {
    return "Task's 'kill_policy.grace_period' must be non-negative";
  }
  const needed = amountsOf(task.resources);
  if (isNothing(needed)) return 'Task uses no resources';
  if (contains(context.available, needed)) return undefined;
  const offered = resourcesOf(context.available, { asOffered: true });
  return (
    `Total resources ${amountsText(task.resources, context.role)} required by task and its executor is more than ` +
    `available ${amountsText(offered, context.role)}`
  );
}
