import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareVersions, versionNumbers } from './version.ts';

describe('versionNumbers', () => {
  it.each([
    ['1.9.1', [1, 9, 1]],
    ['2.8.2+ds1', [2, 8, 2]],
    ['2.6.12-1+deb12u4', [2, 6, 12]],
    ['1.6.7~rc0', [1, 6, 7]],
    ['unknown', []],
  ])('reads %s', (version, numbers) => {
    expect(versionNumbers(version)).toEqual(numbers);
  });
});

describe('compareVersions', () => {
  it('compares numbers, not texts', () => {
    expect(compareVersions('1.10', '1.9')).toBeGreaterThan(0);
    expect(compareVersions('20.10.24+dfsg1', '20.10.0')).toBeGreaterThan(0);
    expect(compareVersions('2.8', '3')).toBeLessThan(0);
    expect(compareVersions('1.0.0', '1')).toBe(0);
  });

  it('orders as the numbers order, whichever way round it is asked', () => {
    const version = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(version, version, (a, b) => {
        const forward = Math.sign(compareVersions(a.join('.'), b.join('.')));
        const backward = Math.sign(compareVersions(b.join('.'), a.join('.')));
        expect(forward + backward).toBe(0);
      }),
    );
  });
});
