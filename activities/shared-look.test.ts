import { describe, expect, it } from '@jest/globals';
import { SharedLook } from './shared-look.ts';

describe('SharedLook', () => {
  it('asks once for all that come within a moment, and anew for who needs it fresh', async () => {
    let asked = 0;
    const look = new SharedLook(async () => ++asked, 60_000);
    expect(await Promise.all([look.get(false), look.get(false)])).toEqual([1, 1]);
    expect(await look.get(true)).toBe(2);
    expect(await look.get(false)).toBe(2);
  });

  it('asks anew when the last answer is old', async () => {
    let asked = 0;
    const look = new SharedLook(async () => ++asked, -1);
    expect([await look.get(false), await look.get(false)]).toEqual([1, 2]);
  });

  it('forgets a failure', async () => {
    let asked = 0;
    const look = new SharedLook(async () => {
      asked += 1;
      if (asked === 1) throw new Error('away');
      return asked;
    }, 60_000);
    await expect(look.get(false)).rejects.toThrow('away');
    expect(await look.get(false)).toBe(2);
  });
});
