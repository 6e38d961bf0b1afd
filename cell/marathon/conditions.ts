import type { TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import type { Condition, Instance } from './model.ts';

/** What states of Mesos tasks mean to Marathon. */

/** Reasons with which a master that knows no partitions reports a task as lost that may come back. */
const UNREACHABLE_REASONS = new Set(['REASON_SLAVE_DISCONNECTED', 'REASON_SLAVE_REMOVED', 'REASON_RECONCILIATION']);

export function conditionOf(status: TaskStatus): Condition {
  const byState: Readonly<Record<TaskState, Condition>> = {
    TASK_STAGING: 'Staging',
    TASK_STARTING: 'Starting',
    TASK_RUNNING: 'Running',
    TASK_KILLING: 'Killing',
    TASK_FINISHED: 'Finished',
    TASK_FAILED: 'Failed',
    TASK_KILLED: 'Killed',
    TASK_ERROR: 'Error',
    TASK_DROPPED: 'Dropped',
    TASK_UNREACHABLE: 'Unreachable',
    TASK_GONE: 'Gone',
    TASK_GONE_BY_OPERATOR: 'Gone',
    TASK_UNKNOWN: 'Unknown',
    TASK_LOST: UNREACHABLE_REASONS.has(status.reason ?? '') ? 'Unreachable' : 'Gone',
  };
  return byState[status.state];
}

/** The task is over and its instance with it. */
export function isOver(condition: Condition): boolean {
  return ['Finished', 'Failed', 'Killed', 'Error', 'Dropped', 'Gone', 'Unknown'].includes(condition);
}

/** Ends that delay the next launch. Marathon runs services: a task that finishes has failed too. */
export function isBadEnd(condition: Condition): boolean {
  return ['Dropped', 'Error', 'Failed', 'Gone', 'Finished'].includes(condition);
}

/** A step on the way to a running task. */
export function isStart(condition: Condition): boolean {
  return ['Created', 'Provisioned', 'Staging', 'Starting', 'Running'].includes(condition);
}

/** Ends and losses that are told as `lastTaskFailure`. */
export function isFailure(condition: Condition): boolean {
  return ['Failed', 'Error', 'Dropped', 'Gone', 'Unknown', 'Unreachable'].includes(condition);
}

/** Constraints look at where such an instance is. A lost one is nowhere. */
export function isPlaced(instance: Instance): boolean {
  return instance.condition !== 'Unreachable' && instance.condition !== 'UnreachableInactive';
}

/** Counts towards the instances an app has. One that is being killed counts until it is gone. */
export function isActive(instance: Instance): boolean {
  return instance.condition !== 'UnreachableInactive';
}
