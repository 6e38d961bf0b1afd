import { describe, expect, it } from '@jest/globals';
import { attributesText, matchOffer, type OfferWish, offeredAttributes } from './offer-matching.ts';
import type { Attribute, Offer, Resource } from './types.ts';

const scalar = (name: string, value: number): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  role: '*',
  allocation_info: { role: 'ci' },
});
const ports = (...range: { begin: number; end: number }[]): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range },
  role: '*',
});
const text = (name: string, value: string): Attribute => ({ name, type: 'TEXT', text: { value } });

const offer: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 'a1' },
  hostname: 'h',
  resources: [ports({ begin: 31000, end: 31001 }, { begin: 31005, end: 31009 }), scalar('cpus', 2), scalar('mem', 512)],
  attributes: [text('role', 'ci'), text('rack', 'r1'), { name: 'num', type: 'SCALAR', scalar: { value: 3 } }],
};
const wish = (change: Partial<OfferWish> = {}): OfferWish => ({
  resources: { cpus: 1, mem: 128 },
  attributes: { role: 'ci' },
  excludeAgents: [],
  ...change,
});

describe('matchOffer', () => {
  it('takes exactly what is needed, in the words of the offer', () => {
    expect(matchOffer(offer, wish())).toEqual({
      fits: true,
      resources: [scalar('cpus', 1), scalar('mem', 128)],
      ports: [],
    });
  });

  it('takes the lowest ports, across ranges', () => {
    const match = matchOffer(offer, wish({ resources: { cpus: 2, mem: 512, ports: 3 } }));
    expect(match).toMatchObject({ fits: true, ports: [31000, 31001, 31005] });
  });

  it.each<[string, OfferWish, string, boolean]>([
    ['an excluded agent', wish({ excludeAgents: ['a1'] }), 'the agent is excluded', true],
    ['another value', wish({ attributes: { role: 'ci', rack: 'r2' } }), 'rack is r1', true],
    ['a missing attribute', wish({ attributes: { env: 'fat' } }), 'no attribute env', true],
    ['an attribute that is no text', wish({ attributes: { num: '3' } }), 'no attribute num', true],
    ['too few cpus', wish({ resources: { cpus: 2.5, mem: 1 } }), 'cpus 2.5 needed, 2 offered', false],
    ['too little memory', wish({ resources: { cpus: 1, mem: 513 } }), 'mem 513 needed, 512 offered', false],
    ['no disk at all', wish({ resources: { cpus: 1, mem: 1, disk: 1 } }), 'disk 1 needed, 0 offered', false],
    ['too few ports', wish({ resources: { cpus: 1, mem: 1, ports: 8 } }), '8 ports needed, fewer offered', false],
  ])('refuses %s', (_what, wanted, because, lasting) => {
    expect(matchOffer(offer, wanted)).toEqual({ fits: false, because, lasting });
  });
});

describe('attributes in words', () => {
  it('are written as operators write them', () => {
    expect(attributesText({ role: 'ci', rack: 'r1' })).toBe('role:ci;rack:r1');
    expect(offeredAttributes(offer)).toBe('role:ci;rack:r1');
    expect(offeredAttributes({ ...offer, attributes: [] })).toBe('no attributes');
  });
});
