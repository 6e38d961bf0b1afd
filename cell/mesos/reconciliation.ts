/** What a master answers to a framework that asks for the state of a task; pure. */
import type { TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import type { Standing } from './agent-orders.ts';

/** What the master knows, as far as the answer depends on it. */
export interface Knowledge {
  /** The task, if it is one of the framework's live ones. */
  readonly task:
    | { readonly state: TaskState; readonly agentId: string; readonly last?: TaskStatus | undefined }
    | undefined;
  /** Of the agent that was named. Without one: recovered while any agent is, or else unknown. */
  readonly agent: Standing;
  /** Since when it is unreachable; ms. */
  readonly unreachableSince?: number | undefined;
}

export interface Question {
  readonly taskId: string;
  readonly agentId?: string | undefined;
}

/**
 * One answer to an explicit reconciliation, in the order of Mesos' `Master::reconcile`; undefined: no answer yet,
 * the agent may still come back and tell.
 */
export function reconcile(question: Question, knowledge: Knowledge, now: number): TaskStatus | undefined {
  if (knowledge.task !== undefined) {
    const { state, agentId, last } = knowledge.task;
    return {
      ...answer({ ...question, agentId }, state, 'Latest task state', now),
      ...(last?.healthy === undefined ? {} : { healthy: last.healthy }),
      ...(last?.container_status === undefined ? {} : { container_status: last.container_status }),
    };
  }
  switch (knowledge.agent) {
    case 'registered':
      return answer(question, 'TASK_GONE', 'Task is unknown to the agent', now);
    case 'unreachable':
      return {
        ...answer(question, 'TASK_UNREACHABLE', 'Task is unreachable', now),
        ...(knowledge.unreachableSince === undefined
          ? {}
          : { unreachable_time: { nanoseconds: knowledge.unreachableSince * 1e6 } }),
      };
    case 'gone':
      return answer(question, 'TASK_GONE_BY_OPERATOR', 'Task is gone', now);
    case 'recovered':
      return undefined;
    case 'unknown':
      return answer(question, 'TASK_UNKNOWN', 'Task is unknown', now);
  }
}

function answer(question: Question, state: TaskState, message: string, now: number): TaskStatus {
  return {
    task_id: { value: question.taskId },
    state,
    message: `Reconciliation: ${message}`,
    source: 'SOURCE_MASTER',
    reason: 'REASON_RECONCILIATION',
    ...(question.agentId === undefined ? {} : { agent_id: { value: question.agentId } }),
    timestamp: now,
  };
}
