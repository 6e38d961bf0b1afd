import { describe, expect, it } from '@jest/globals';
import type { Resource, TaskInfo } from '../../activities/mesos/types.ts';
import { amountsOf } from './resources.ts';
import { launchComplaint } from './task-validation.ts';

const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const ports = (begin: number, end: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin, end }] },
});
const task = (change: Partial<TaskInfo> = {}): TaskInfo => ({
  name: 't',
  task_id: { value: 't' },
  agent_id: { value: 'a' },
  command: { value: 'true' },
  resources: [scalar('cpus', 1), scalar('mem', 32)],
  ...change,
});
const context = {
  agentId: 'a',
  role: 'ci',
  available: amountsOf([scalar('cpus', 3.9), scalar('mem', 4064), scalar('disk', 10000), ports(31000, 32000)]),
  isTaken: (id: string) => id === 'taken',
};

describe('launchComplaint', () => {
  it.each<[string, TaskInfo]>([
    ['a good task', task()],
    ['ports of the offer', task({ resources: [scalar('cpus', 1), ports(31000, 31001)] })],
    [
      'an image with its own entry point',
      task({ command: undefined, container: { type: 'DOCKER', docker: { image: 'i' } } }),
    ],
  ])('lets %s pass', (_what, good) => {
    expect(launchComplaint(good, context)).toBeUndefined();
  });

  it.each<[TaskInfo, string]>([
    [task({ task_id: { value: 'taken' } }), 'Task has duplicate ID: taken'],
    [task({ task_id: { value: 'a/b' } }), "'a/b' contains invalid characters"],
    [task({ agent_id: { value: 'b' } }), 'Task uses invalid agent b while agent a is expected'],
    [task({ resources: [] }), 'Task uses no resources'],
    [
      task({ resources: [scalar('cpus', 99), scalar('mem', 32)] }),
      // As recorded on a real master.
      'Total resources cpus(allocated: ci):99; mem(allocated: ci):32 required by task and its executor is more than ' +
        'available ports(allocated: ci):[31000-32000]; cpus(allocated: ci):3.9; mem(allocated: ci):4064; disk(allocated: ci):10000',
    ],
    [
      task({ command: undefined }),
      'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present',
    ],
    [
      task({ kill_policy: { grace_period: { nanoseconds: -1 } } }),
      "Task's 'kill_policy.grace_period' must be non-negative",
    ],
    [task({ container: { type: 'MESOS' } }), 'Containers of type MESOS are not supported by this cell'],
  ])('%#', (bad, complaint) => {
    expect(launchComplaint(bad, context)).toBe(complaint);
  });
});
