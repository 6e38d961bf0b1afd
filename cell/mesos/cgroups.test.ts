import { describe, expect, it } from '@jest/globals';
import type { TaskInfo } from '../../activities/mesos/types.ts';
import { limitsOf, weightOf } from './cgroups.ts';

const task = (cpus: number, mem: number): TaskInfo => ({
  name: 't',
  task_id: { value: 't' },
  agent_id: { value: 'a' },
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
  ],
});

describe('limitsOf', () => {
  it.each([
    [1, 128, 1024, 128],
    [0.1, 64.7, 102, 64],
    [0.001, 16, 2, 32],
    [2.5, 4096, 2560, 4096],
  ])('%s CPUs and %s MiB are %s shares and %s MiB', (cpus, mem, cpuShares, memoryMib) => {
    expect(limitsOf(task(cpus, mem))).toEqual({ cpuShares, memoryMib });
  });
});

describe('weightOf', () => {
  it.each([
    [2, 1],
    [102, 4],
    [1024, 39],
    [262_144, 10_000],
    [1_000_000, 10_000],
  ])('%s shares weigh %s', (shares, weight) => {
    expect(weightOf(shares)).toBe(weight);
  });
});
