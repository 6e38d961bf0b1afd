/** What a master answers to a framework that asks for the state of an operation; pure. */
import type { Id, OperationStatus } from '../../activities/mesos/types.ts';
import type { Standing } from './agent-orders.ts';

export interface OperationQuestion {
  readonly operation_id: Id;
  readonly agent_id?: Id | undefined;
  readonly resource_provider_id?: Id | undefined;
}

/** Of agents that have no such operation, which is all of them: this cell does none that have an id. */
const ANSWERS: Readonly<Record<Standing, readonly [OperationStatus['state'], string]>> = {
  recovered: ['OPERATION_RECOVERING', 'Agent is recovered but has not re-registered'],
  registered: ['OPERATION_UNKNOWN', 'Operation is unknown'],
  unreachable: ['OPERATION_UNREACHABLE', 'Agent is unreachable'],
  gone: ['OPERATION_GONE_BY_OPERATOR', 'Agent marked gone by operator'],
  unknown: ['OPERATION_UNKNOWN', 'Both operation and agent are unknown'],
};

/** In the words of Mesos' `Master::reconcileOperations`. @param agent of the agent that was named, if one was */
export function reconcileOperation(question: OperationQuestion, agent: Standing | undefined): OperationStatus {
  const { operation_id, agent_id, resource_provider_id } = question;
  const [state, message] =
    agent === undefined
      ? (['OPERATION_UNKNOWN', "Operation is unknown and no 'agent_id' was provided"] as const)
      : ANSWERS[agent];
  return {
    operation_id,
    state,
    message: `Reconciliation: ${message}`,
    ...(agent_id && { agent_id }),
    ...(resource_provider_id && { resource_provider_id }),
  };
}
