import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Amounts,
  add,
  amountsOf,
  amountsText,
  contains,
  isNothing,
  NOTHING,
  rangesText,
  reservedOf,
  resourcesOf,
  subtract,
  together,
  unreservedOf,
} from './resources.ts';

const port = fc.integer({ min: 1, max: 40 });
const range = fc.tuple(port, port).map(([a, b]) => ({ begin: Math.min(a, b), end: Math.max(a, b) }));
const amounts: fc.Arbitrary<Amounts> = fc
  .record({
    cpus: fc.integer({ min: 0, max: 50 }),
    mem: fc.integer({ min: 0, max: 4096 }),
    ports: fc.array(range, { maxLength: 4 }),
  })
  .map(({ cpus, mem, ports }) =>
    amountsOf([
      { name: 'cpus', type: 'SCALAR', scalar: { value: cpus / 10 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
      { name: 'ports', type: 'RANGES', ranges: { range: ports } },
    ]),
  );

const portsOf = (a: Amounts) =>
  (a.ranges.get('ports') ?? []).flatMap(({ begin, end }) =>
    Array.from({ length: end - begin + 1 }, (_, i) => begin + i),
  );

describe('resources', () => {
  it('give back exactly what was taken', () => {
    fc.assert(
      fc.property(amounts, amounts, (whole, part) => {
        fc.pre(contains(whole, part));
        expect(add(subtract(whole, part), part)).toEqual(whole);
        expect(contains(part, subtract(whole, whole))).toBe(true);
      }),
    );
  });

  it('treat ranges as sets of ports', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const inA = new Set(portsOf(a));
        const inB = new Set(portsOf(b));
        expect(new Set(portsOf(add(a, b)))).toEqual(new Set([...inA, ...inB]));
        expect(portsOf(subtract(a, b))).toEqual(portsOf(a).filter((port) => !inB.has(port)));
        expect(contains({ scalars: new Map(), ranges: a.ranges }, { scalars: new Map(), ranges: b.ranges })).toBe(
          [...inB].every((port) => inA.has(port)),
        );
        for (const list of add(a, b).ranges.values()) {
          for (let i = 1; i < list.length; i += 1) expect(list[i]?.begin).toBeGreaterThan((list[i - 1]?.end ?? 0) + 1);
        }
      }),
    );
  });

  it('hold nothing of what is zero', () => {
    const none = amountsOf([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0 } },
      { name: 'ports', type: 'RANGES', ranges: {} },
    ]);
    expect(isNothing(none)).toBe(true);
    expect(resourcesOf(none)).toEqual([]);
  });

  it('sum tenths exactly', () => {
    const tenth = amountsOf([{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } }]);
    const three = add(add(tenth, tenth), tenth);
    expect(three.scalars.get('cpus')).toBe(0.3);
    expect(isNothing(subtract(three, three))).toBe(true);
    expect(isNothing(subtract(NOTHING, three))).toBe(true);
  });

  it('are written as Mesos writes them', () => {
    const some = amountsOf([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 3.9 } },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 31006, end: 32000 },
            { begin: 31000, end: 31004 },
          ],
        },
      },
    ]);
    expect(rangesText(some.ranges.get('ports') ?? [])).toBe('[31000-31004, 31006-32000]');
    expect(amountsText(resourcesOf(some, { asOffered: true }), 'ci')).toBe(
      'ports(allocated: ci):[31000-31004, 31006-32000]; cpus(allocated: ci):3.9',
    );
    expect(resourcesOf(some, { format: 'role', allocatedTo: 'ci' })[0]).toEqual({
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value: 3.9 },
      role: '*',
      allocation_info: { role: 'ci' },
    });
  });

  const cpus = { name: 'cpus', type: 'SCALAR', scalar: { value: 2 } } as const;
  const reserved = amountsOf([{ ...cpus, role: 'ci' }, cpus]);

  it.each([
    ['books', [cpus, { ...cpus, reservations: [{ type: 'STATIC', role: 'ci' }] }]],
    [
      'role',
      [
        { ...cpus, role: '*' },
        { ...cpus, role: 'ci' },
      ],
    ],
    [
      'both',
      [
        { ...cpus, role: '*' },
        { ...cpus, role: 'ci', reservations: [{ type: 'STATIC', role: 'ci' }] },
      ],
    ],
  ] as const)('show reservations in the way of %s, and are read in each', (format, expected) => {
    const shown = resourcesOf(reserved, { format });
    expect(shown).toEqual(expected);
    expect(amountsOf(shown)).toEqual(reserved);
  });

  it('are told apart by whom they are reserved for', () => {
    expect(unreservedOf(reserved)).toEqual(amountsOf([cpus]));
    expect([...reservedOf(reserved).keys()]).toEqual(['ci']);
    expect(together(reserved)).toEqual(amountsOf([cpus, cpus]));
    expect(contains(reserved, amountsOf([{ ...cpus, scalar: { value: 3 } }]))).toBe(false);
    expect(amountsText(resourcesOf(reserved), 'ci')).toBe(
      'cpus(allocated: ci):2; cpus(allocated: ci)(reservations: [(STATIC,ci)]):2',
    );
  });
});
