import { describe, expect, it } from '@jest/globals';
import { parseReserved } from './reserved.ts';

const ci = { reservations: [{ type: 'STATIC', role: 'ci' }] };

describe('parseReserved', () => {
  it('reads scalars and ranges of a role', () => {
    expect(parseReserved('cpus(ci):1.5; ports(ci):[1-2,5-9] ;')).toEqual([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 1.5 }, ...ci },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 1, end: 2 },
            { begin: 5, end: 9 },
          ],
        },
        ...ci,
      },
    ]);
    expect(parseReserved('')).toEqual([]);
  });

  it.each([
    ['cpus:1', 'it is not name(role):value'],
    ['cpus(*):1', 'it is not name(role):value'],
    ['cpus(a b):1', "Role 'a b' contains invalid characters"],
    ['cpus(ci):many', 'the value is no amount'],
  ])('refuses %s: %s', (text, why) => {
    expect(() => parseReserved(text)).toThrow(why);
  });
});
