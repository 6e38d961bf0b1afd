import { describe, expect, it } from '@jest/globals';
import type { Offer } from '../../activities/mesos/types.ts';
import { attributeText, matchOffer, remainsOf } from './offers.ts';
import { testConfig } from './test-apps.ts';

const OFFER: Offer = {
  id: { value: 'O1' },
  framework_id: { value: 'F' },
  agent_id: { value: 'S0' },
  hostname: 'h1',
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 8 }, role: 'other' },
    { name: 'mem', type: 'SCALAR', scalar: { value: 64 } },
    { name: 'disk', type: 'SCALAR', scalar: { value: 100 } },
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31000, end: 31002 }] } },
  ],
  attributes: [
    { name: 'env', type: 'TEXT', text: { value: 'prod' } },
    { name: 'num', type: 'SCALAR', scalar: { value: 2 } },
  ],
};

const match = (changes: Parameters<typeof testConfig>[1], offer = OFFER, remains = remainsOf(offer)) =>
  matchOffer(testConfig('/a', changes), offer, remains, [], () => 0.5, 0);

describe('matchOffer', () => {
  it('takes what an instance needs and leaves the rest', () => {
    expect(match({ cpus: 0.4, mem: 16 })).toEqual({
      fits: true,
      ports: [31001],
      remains: {
        cpus: 0.6,
        mem: 48,
        disk: 100,
        gpus: 0,
        ports: [
          { begin: 31000, end: 31000 },
          { begin: 31002, end: 31002 },
        ],
      },
    });
  });

  it('fills an offer to the last thousandth', () => {
    let remains = remainsOf(OFFER);
    for (let count = 0; count < 3; count += 1) {
      const matched = match({ cpus: 1 / 3, mem: 16 }, OFFER, remains);
      if (!matched.fits) throw new Error(`instance ${count} did not fit: ${matched.reason}`);
      remains = matched.remains;
    }
    expect(match({ cpus: 0.1, mem: 16 }, OFFER, remains)).toEqual({ fits: false, reason: 'InsufficientCpus' });
  });

  it.each([
    ['UnfulfilledRole', { acceptedResourceRoles: ['other'] }],
    ['UnfulfilledConstraint', { constraints: [['env', 'LIKE', 'uat']] }],
    [
      'NoCorrespondingReservationFound',
      { container: { type: 'MESOS', volumes: [{ containerPath: 'd', mode: 'RW', persistent: { size: 1 } }] } },
    ],
    ['InsufficientCpus', { cpus: 1.1 }],
    ['InsufficientMemory', { mem: 65 }],
    ['InsufficientDisk', { disk: 101 }],
    ['InsufficientGpus', { gpus: 1 }],
  ] as const)('declines for %s', (reason, changes) => {
    expect(match(changes)).toEqual({ fits: false, reason });
  });

  it('declines when there are not enough ports, or not the required one', () => {
    const ports = (...wanted: readonly number[]) => wanted.map((port) => ({ port, protocol: 'tcp' as const }));
    expect(match({ portDefinitions: ports(0, 0, 0, 0) })).toMatchObject({ reason: 'InsufficientPorts' });
    expect(match({ portDefinitions: ports(0, 0, 0) })).toMatchObject({ fits: true });
    expect(match({ portDefinitions: ports(40000), requirePorts: true })).toMatchObject({ reason: 'InsufficientPorts' });
    expect(match({ portDefinitions: ports(0, 31001), requirePorts: true })).toMatchObject({ ports: [31002, 31001] });
    // Without requirePorts the number is a service port only.
    expect(match({ portDefinitions: ports(40000) })).toMatchObject({ fits: true, ports: [31001] });
  });

  it('declines agents in maintenance', () => {
    const start = { nanoseconds: 0 };
    expect(match({}, { ...OFFER, unavailability: { start } })).toMatchObject({ reason: 'AgentMaintenance' });
    const later = { start: { nanoseconds: '1000000000' } };
    expect(match({}, { ...OFFER, unavailability: later })).toMatchObject({ fits: true });
  });
});

describe('attributeText', () => {
  it.each([
    [{ name: 'a', type: 'TEXT', text: { value: 'x' } }, 'x'],
    [{ name: 'a', type: 'SCALAR', scalar: { value: 12.3456 } }, '12.346'],
    [{ name: 'a', type: 'SCALAR', scalar: { value: 2 } }, '2'],
    [
      {
        name: 'a',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 1, end: 3 },
            { begin: 5, end: 5 },
          ],
        },
      },
      '[1-3,5-5]',
    ],
    [{ name: 'a', type: 'SET', set: { item: ['b', 'a'] } }, '{a,b}'],
  ] as const)('%j', (attribute, expected) => {
    expect(attributeText(attribute)).toBe(expected);
  });
});
