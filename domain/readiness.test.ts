import { describe, expect, it } from '@jest/globals';
import { type FreeAgent, type ReadinessSeen, readinessGaps, roomFor, type WayBack } from './readiness.ts';

const agent = (cpus: number, memoryMiB: number): FreeAgent => ({ name: 'a', cpus, memoryMiB });
const NEEDS: WayBack = { image: 'sample@sha256:a', configVersion: 3, instances: 2, cpus: 0.5, memoryMiB: 256 };
const READY: ReadinessSeen = {
  replicas: [
    { address: 'one:5000', missing: [] },
    { address: 'two:5000', missing: [] },
  ],
  configFound: true,
  agents: [agent(1, 512)],
};

describe('room for instances', () => {
  it.each([
    ['no agent', [], 0],
    ['whole instances on one agent', [agent(1, 512)], 2],
    ['an instance is not split over agents', [agent(0.4, 512), agent(0.4, 512)], 0],
    ['memory counts as well', [agent(8, 300)], 1],
    ['many agents', [agent(0.5, 256), agent(1.2, 4096), agent(0, 0)], 3],
    ['sums of doubles', [agent(0.1 + 0.2 + 0.2 - 1e-12, 256)], 1],
  ])('%s', (_, agents, room) => {
    expect(roomFor(agents, NEEDS)).toBe(room);
  });

  it('is never short of what is not needed', () => {
    expect(roomFor([agent(0, 512)], { cpus: 0, memoryMiB: 256 })).toBe(2);
  });
});

describe('the way back', () => {
  it.each([
    ['is ready', NEEDS, READY, []],
    [
      'lacks a layer in one replica',
      NEEDS,
      { ...READY, replicas: [{ address: 'one:5000', missing: ['sha256:b'] }] },
      ['image'],
    ],
    ['lacks the old configuration', NEEDS, { ...READY, configFound: false }, ['config']],
    ['needs no configuration', { ...NEEDS, configVersion: 0 }, { ...READY, configFound: false }, []],
    ['lacks room', NEEDS, { ...READY, agents: [agent(0.9, 512)] }, ['capacity']],
    ['needs no room while all instances are kept', { ...NEEDS, instances: 0 }, { ...READY, agents: [] }, []],
    [
      'lacks everything',
      NEEDS,
      { replicas: [{ address: 'one:5000', missing: ['sha256:a'] }], configFound: false, agents: [] },
      ['image', 'config', 'capacity'],
    ],
  ])('%s', (_, needs, seen, kinds) => {
    expect(readinessGaps(needs, seen).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('says what is missing and what to do', () => {
    const seen = {
      replicas: [{ address: 'one:5000', missing: ['sha256:b'] }],
      configFound: false,
      agents: [agent(0.5, 256)],
    };
    expect(readinessGaps(NEEDS, seen).map(({ sentence }) => sentence)).toEqual([
      'registry one:5000 lacks sha256:b of sample@sha256:a; push that image again',
      'version 3 of the configuration is not there any more; publish it again',
      'there is room for 1 of the 2 instances that going back would start (0.5 CPUs and 256 MiB each); free some or add an agent',
    ]);
  });
});
