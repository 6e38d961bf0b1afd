import { describe, expect, it } from '@jest/globals';
import type { FrameworkInfo } from '../../activities/mesos/types.ts';
import { Framework, frameworkInfoComplaint, type MasterTask } from './framework.ts';

const MULTI = [{ type: 'MULTI_ROLE' }];
const info = (change: Partial<FrameworkInfo> = {}): FrameworkInfo => ({ user: 'root', name: 'f', ...change });

describe('frameworkInfoComplaint', () => {
  it.each<[FrameworkInfo, string | undefined]>([
    [info(), undefined],
    [info({ role: 'ci' }), undefined],
    [info({ roles: ['ci', 'a/b'], capabilities: MULTI }), undefined],
    [info({ failover_timeout: -1 }), undefined],
    [info({ roles: ['ci'] }), "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"],
    [
      info({ role: 'ci', capabilities: MULTI }),
      "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
    ],
    [info({ id: { value: 'bad/id' } }), "'bad/id' contains invalid characters"],
    [info({ id: { value: 'x'.repeat(255) } }), undefined],
    [info({ id: { value: '任'.repeat(86) } }), `'${'任'.repeat(86)}' is longer than 255 characters`],
    [info({ failover_timeout: 1e20 }), 'The framework failover_timeout (1e+20) is invalid'],
    [info({ role: '' }), 'Empty role name is invalid'],
    [info({ role: 'a b' }), "Role 'a b' contains invalid characters"],
    [info({ role: '/a' }), "Role '/a' cannot start or end with a slash"],
    [info({ role: 'a/../b' }), "Role 'a/../b' is invalid because of its part '..'"],
    [info({ roles: ['a', 'a'], capabilities: MULTI }), "'FrameworkInfo.roles' contains duplicate items: a, a"],
  ])('%#', (given, complaint) => {
    expect(frameworkInfoComplaint(given)).toBe(complaint);
  });
});

describe('Framework', () => {
  const of = (capabilities: FrameworkInfo['capabilities']) =>
    new Framework({ id: 'f', info: info({ capabilities }), registeredAt: 0, reregisteredAt: 0 });

  it.each([
    ['TASK_UNREACHABLE', 'TASK_LOST'],
    ['TASK_DROPPED', 'TASK_LOST'],
    ['TASK_GONE', 'TASK_LOST'],
    ['TASK_UNKNOWN', 'TASK_LOST'],
    ['TASK_RUNNING', 'TASK_RUNNING'],
  ] as const)('that does not know of partitions is told of %s as %s', (state, word) => {
    expect(of([]).wordFor(state)).toBe(word);
    expect(of([{ type: 'PARTITION_AWARE' }]).wordFor(state)).toBe(state);
  });

  it('remembers what ended on one agent, and keeps a task of the same id that runs on another', () => {
    const framework = of([]);
    const on = (agentId: string): MasterTask => ({
      frameworkId: 'f',
      agentId,
      task: { name: 't', task_id: { value: 't' }, agent_id: { value: agentId }, resources: [] },
      state: 'TASK_RUNNING',
      statuses: [],
    });
    const [ended, running] = [on('a'), on('b')];
    framework.tasks.set('t', running);
    framework.complete(ended);
    expect([framework.tasks.get('t'), framework.completed]).toEqual([running, [ended]]);
    framework.complete(running);
    expect(framework.tasks.size).toBe(0);
  });

  it('remembers the thousand tasks of lost agents that were lost last', () => {
    const framework = of([]);
    for (let index = 0; index < 1_001; index += 1) {
      const id = `t${index}`;
      const task = { name: id, task_id: { value: id }, agent_id: { value: 'a' }, resources: [] };
      framework.lose({ frameworkId: 'f', agentId: 'a', task, state: 'TASK_UNREACHABLE', statuses: [] });
    }
    expect([framework.unreachable.size, framework.unreachable.has('t0'), framework.unreachable.has('t1')]).toEqual([
      1_000,
      false,
      true,
    ]);
  });

  it('has the roles that its capability says', () => {
    expect(of([]).roles).toEqual(['*']);
    expect(of(MULTI).roles).toEqual([]);
  });
});
