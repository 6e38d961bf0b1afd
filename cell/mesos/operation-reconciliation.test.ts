import { describe, expect, it } from '@jest/globals';
import { reconcileOperation } from './operation-reconciliation.ts';

const operation_id = { value: 'o' };
const agent_id = { value: 'a' };

describe('an operation that nobody knows', () => {
  it.each([
    ['registered', 'OPERATION_UNKNOWN', 'Operation is unknown'],
    ['recovered', 'OPERATION_RECOVERING', 'Agent is recovered but has not re-registered'],
    ['unreachable', 'OPERATION_UNREACHABLE', 'Agent is unreachable'],
    ['gone', 'OPERATION_GONE_BY_OPERATOR', 'Agent marked gone by operator'],
    ['unknown', 'OPERATION_UNKNOWN', 'Both operation and agent are unknown'],
  ] as const)('on an agent that is %s', (standing, state, message) => {
    expect(reconcileOperation({ operation_id, agent_id }, standing)).toEqual({
      operation_id,
      agent_id,
      state,
      message: `Reconciliation: ${message}`,
    });
  });

  it('on no agent', () => {
    expect(reconcileOperation({ operation_id }, undefined)).toEqual({
      operation_id,
      state: 'OPERATION_UNKNOWN',
      message: "Reconciliation: Operation is unknown and no 'agent_id' was provided",
    });
  });
});
