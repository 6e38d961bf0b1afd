import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate, type Claim, dominantShare, type RefusedOffer } from './allocator.ts';
import { type Amounts, add, amountsOf, NOTHING } from './resources.ts';

const of = (cpus: number, mem = 1024): Amounts =>
  amountsOf([
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
  ]);
const claim = (frameworkId: string, holds = NOTHING, role = '*'): Claim => ({ frameworkId, role, holds, wants: true });
const refusal = (frameworkId: string, agentId: string, amounts: Amounts, until = 100): RefusedOffer => ({
  frameworkId,
  role: '*',
  agentId,
  amounts,
  until,
});
const input = { total: of(8, 8192), refused: [], now: 50 };
const who = (allocations: ReturnType<typeof allocate>) =>
  allocations.map(({ agentId, frameworkId }) => `${agentId}:${frameworkId}`);

describe('allocate', () => {
  it('offers an agent whole to the framework that holds least', () => {
    expect(
      who(allocate({ ...input, agents: [{ id: 'a', free: of(2) }], claims: [claim('f', of(1)), claim('g')] })),
    ).toEqual(['a:g']);
  });

  it('counts what it has just given', () => {
    const agents = ['a', 'b'].map((id) => ({ id, free: of(2) }));
    expect(who(allocate({ ...input, agents, claims: [claim('f'), claim('g')] }))).toEqual(['a:f', 'b:g']);
  });

  it.each<[string, RefusedOffer[], string[]]>([
    ['the same', [refusal('f', 'a', of(2))], []],
    ['more than is free now', [refusal('f', 'a', of(3))], []],
    ['less than is free now', [refusal('f', 'a', of(1))], ['a:f']],
    ['it until now', [refusal('f', 'a', of(2), 50)], ['a:f']],
    ['it on another agent', [refusal('f', 'b', of(2))], ['a:f']],
    ['it for another framework', [refusal('g', 'a', of(2))], ['a:f']],
  ])('a framework that refused %s', (_what, refused, expected) => {
    expect(who(allocate({ ...input, refused, agents: [{ id: 'a', free: of(2) }], claims: [claim('f')] }))).toEqual(
      expected,
    );
  });

  it('passes to the next framework what the first refused', () => {
    const refused = [refusal('f', 'a', of(2))];
    expect(
      who(allocate({ ...input, refused, agents: [{ id: 'a', free: of(2) }], claims: [claim('f'), claim('g', of(4))] })),
    ).toEqual(['a:g']);
  });

  it.each([
    [of(0.005, 16), 0],
    [of(0.01, 0), 1],
    [of(0, 32), 1],
    [NOTHING, 0],
  ])('%# offers only what is worth it', (free, offers) => {
    expect(allocate({ ...input, agents: [{ id: 'a', free }], claims: [claim('f')] })).toHaveLength(offers);
  });

  describe('roles', () => {
    const reserved = amountsOf([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 1 }, reservations: [{ type: 'STATIC', role: 'ci' }] },
    ]);
    const agents = [{ id: 'a', free: add(of(2), reserved) }];
    const given = (claims: Claim[]) =>
      allocate({ ...input, agents, claims }).map(({ frameworkId, role, amounts }) => [
        frameworkId,
        role,
        Object.fromEntries(amounts.scalars),
      ]);

    it.each<[string, Claim[], unknown[]]>([
      [
        'what is reserved goes to its role with the rest',
        [claim('f', NOTHING, 'ci')],
        [['f', 'ci', { cpus: 2, mem: 1024, 'cpus(ci)': 1 }]],
      ],
      [
        'also to one below it',
        [claim('f', NOTHING, 'ci/web')],
        [['f', 'ci/web', { cpus: 2, mem: 1024, 'cpus(ci)': 1 }]],
      ],
      ['and never to another', [claim('f', NOTHING, 'cinema')], [['f', 'cinema', { cpus: 2, mem: 1024 }]]],
      [
        'the role that holds more gets only its own',
        [claim('f', of(1), 'ci'), claim('g', NOTHING, 'web')],
        [
          ['g', 'web', { cpus: 2, mem: 1024 }],
          ['f', 'ci', { 'cpus(ci)': 1 }],
        ],
      ],
      [
        'a role counts with all who are in it',
        [{ ...claim('h', of(2), 'web'), wants: false }, claim('g', NOTHING, 'web'), claim('f', of(1), 'ci')],
        [['f', 'ci', { cpus: 2, mem: 1024, 'cpus(ci)': 1 }]],
      ],
    ])('%s', (_what, claims, expected) => {
      expect(given(claims)).toEqual(expected);
    });

    it('of one framework are refused one by one', () => {
      const refused = [{ ...refusal('f', 'a', of(8, 8192)), role: 'web' }];
      const claims = [claim('f', NOTHING, 'web'), claim('f', NOTHING, 'db')];
      expect(allocate({ ...input, refused, agents: [{ id: 'a', free: of(2) }], claims })).toMatchObject([
        { role: 'db' },
      ]);
    });
  });

  it('never gives one agent twice and never invents resources', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 8 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        (cpus, frameworks) => {
          const agents = cpus.map((count, index) => ({ id: `a${index}`, free: of(count, 0) }));
          const claims = Array.from({ length: frameworks }, (_, index) => claim(`f${index}`));
          const given = allocate({ ...input, agents, claims });
          expect(new Set(given.map(({ agentId }) => agentId)).size).toBe(given.length);
          for (const { agentId, amounts } of given)
            expect(amounts).toEqual(agents.find(({ id }) => id === agentId)?.free);
          expect(given).toHaveLength(cpus.filter((count) => count > 0).length);
        },
      ),
    );
  });
});

describe('dominantShare', () => {
  it.each([
    [NOTHING, 0],
    [of(4, 1024), 0.5],
    [of(1, 8192), 1],
  ])('%#', (holds, share) => {
    expect(dominantShare(holds, input.total)).toBe(share);
  });
});
