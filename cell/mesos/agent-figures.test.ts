import { describe, expect, it } from '@jest/globals';
import type { TaskState } from '../../activities/mesos/types.ts';
import { agentFigures, type CountedAgent } from './agent-figures.ts';
import { amountsOf } from './resources.ts';
import type { TaskRecord } from './task-record.ts';

const resources = [{ name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.5 } }];

const record = (state: TaskState | undefined, phase: TaskRecord['phase'], frameworkId = 'f'): TaskRecord => ({
  containerId: 'c',
  frameworkId,
  frameworkInfo: { user: 'me', name: 'n' },
  task: { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, resources },
  directory: '/sandbox',
  launchedAt: 0,
  phase,
  muted: false,
  statuses: state === undefined ? [] : [{ task_id: { value: 't' }, state }],
  pending: [],
  completed: false,
});

const agent: CountedAgent = {
  total: amountsOf([{ name: 'cpus', type: 'SCALAR', scalar: { value: 4 } }]),
  startTime: 1_000,
  registered: true,
  records: [
    record(undefined, 'launching'),
    record('TASK_RUNNING', 'running'),
    record('TASK_RUNNING', 'running', 'other'),
    record('TASK_FAILED', 'ended'),
  ],
  forgotten: new Map([['TASK_FAILED', 2]]),
};

describe('agentFigures', () => {
  it('counts what lives, what has ended, and what of that is forgotten', () => {
    expect(agentFigures(agent, 1_030_000)).toMatchObject({
      'slave/uptime_secs': 30,
      'slave/registered': 1,
      'slave/frameworks_active': 2,
      'slave/executors_running': 2,
      'slave/executors_terminated': 3,
      'slave/tasks_staging': 1,
      'slave/tasks_running': 2,
      'slave/tasks_failed': 3,
      'slave/tasks_finished': 0,
    });
  });

  it('says how much of its resources is used', () => {
    expect(agentFigures(agent, 1_030_000)).toMatchObject({
      'slave/cpus_total': 4,
      'slave/cpus_used': 1.5,
      'slave/cpus_percent': 0.375,
      'slave/mem_total': 0,
      'slave/mem_percent': 0,
      'slave/cpus_revocable_total': 0,
    });
  });
});
