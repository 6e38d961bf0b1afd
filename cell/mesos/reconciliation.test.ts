import { describe, expect, it } from '@jest/globals';
import { type Knowledge, reconcile } from './reconciliation.ts';

const base = {
  source: 'SOURCE_MASTER',
  reason: 'REASON_RECONCILIATION',
  timestamp: 7,
  task_id: { value: 't' },
} as const;
const nothing = (agent: Knowledge['agent']): Knowledge => ({ task: undefined, agent });

describe('reconcile', () => {
  it.each<[Knowledge['agent'], string | undefined, string | undefined]>([
    ['registered', 'TASK_GONE', 'Reconciliation: Task is unknown to the agent'],
    ['unreachable', 'TASK_UNREACHABLE', 'Reconciliation: Task is unreachable'],
    ['gone', 'TASK_GONE_BY_OPERATOR', 'Reconciliation: Task is gone'],
    ['unknown', 'TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
    ['recovered', undefined, undefined],
  ])('a task nobody knows on a %s agent', (agent, state, message) => {
    const answer = reconcile({ taskId: 't', agentId: 'a' }, nothing(agent), 7);
    expect(answer).toEqual(state === undefined ? undefined : { ...base, state, message, agent_id: { value: 'a' } });
  });

  it('names no agent when none was named', () => {
    expect(reconcile({ taskId: 't' }, nothing('unknown'), 7)).not.toHaveProperty('agent_id');
  });

  it('tells the newest state of a known task with its health and container, without uuid', () => {
    const container_status = { container_id: { value: 'c' } };
    const last = {
      task_id: { value: 't' },
      state: 'TASK_RUNNING',
      healthy: true,
      uuid: 'u',
      container_status,
    } as const;
    const knowledge: Knowledge = { task: { state: 'TASK_RUNNING', agentId: 'a', last }, agent: 'unknown' };
    expect(reconcile({ taskId: 't' }, knowledge, 7)).toEqual({
      ...base,
      state: 'TASK_RUNNING',
      message: 'Reconciliation: Latest task state',
      agent_id: { value: 'a' },
      healthy: true,
      container_status,
    });
  });
});
