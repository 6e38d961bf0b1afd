import { describe, expect, it } from '@jest/globals';
import { judgeUpdate, type RunState, type UpdateMeaning } from './task-updates.ts';
import type { TaskState } from './types.ts';

const RECONCILIATION = 'REASON_RECONCILIATION';

describe('judgeUpdate', () => {
  it.each<[TaskState, string | undefined, boolean, UpdateMeaning]>([
    ['TASK_STARTING', undefined, false, 'alive'],
    ['TASK_RUNNING', undefined, false, 'alive'],
    ['TASK_RUNNING', RECONCILIATION, true, 'alive'],
    ['TASK_KILLING', undefined, false, 'alive'],
    ['TASK_UNREACHABLE', undefined, false, 'alive'],
    ['TASK_FINISHED', undefined, false, 'ended'],
    ['TASK_FINISHED', RECONCILIATION, true, 'ended'],
    ['TASK_FAILED', undefined, false, 'ended'],
    ['TASK_KILLED', undefined, false, 'ended'],
    ['TASK_ERROR', 'REASON_TASK_INVALID', false, 'ended'],
    ['TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR', false, 'ended'],
    ['TASK_GONE', 'REASON_AGENT_REMOVED', false, 'ended'],
    ['TASK_GONE', RECONCILIATION, true, 'unknown'],
    ['TASK_UNKNOWN', RECONCILIATION, true, 'unknown'],
    ['TASK_UNKNOWN', RECONCILIATION, false, 'unknown'],
    ['TASK_DROPPED', 'REASON_INVALID_OFFERS', false, 'relaunch'],
  ])('%s (%s, reconciling %s) of our task is %s', (state, reason, reconciling, meaning) => {
    const status = { task_id: { value: 't' }, state, ...(reason === undefined ? {} : { reason }) };
    expect(judgeUpdate(status, { taskId: 't', known: 'TASK_STAGING', reconciling })).toBe(meaning);
  });

  it.each<[TaskState, RunState, boolean, UpdateMeaning]>([
    ['TASK_RUNNING', 'WAITING', true, 'adopt'],
    ['TASK_STAGING', 'TASK_STAGING', true, 'adopt'],
    ['TASK_RUNNING', 'TASK_RUNNING', false, 'ignore'],
    ['TASK_FINISHED', 'WAITING', true, 'ended'],
    ['TASK_FAILED', 'WAITING', true, 'ended'],
    ['TASK_FINISHED', 'WAITING', false, 'ignore'],
    ['TASK_FINISHED', 'TASK_RUNNING', true, 'ignore'],
    ['TASK_DROPPED', 'WAITING', true, 'ignore'],
    ['TASK_LOST', 'WAITING', true, 'ignore'],
  ])('%s of another task while %s (reconciling %s) is %s', (state, known, reconciling, meaning) => {
    expect(judgeUpdate({ task_id: { value: 'other' }, state }, { taskId: 't', known, reconciling })).toBe(meaning);
  });
});
