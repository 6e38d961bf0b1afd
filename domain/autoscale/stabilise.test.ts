import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ScaleBounds } from '../lane.ts';
import { decideInstances } from './stabilise.ts';

const BOUNDS: ScaleBounds = { min: 2, max: 50, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };
const NOW = Date.parse('2026-03-01T12:00:00Z');

/** Wishes as [seconds before now, instances]. */
function decide(current: number, wishes: readonly (readonly [number, number])[], bounds: Partial<ScaleBounds> = {}) {
  return decideInstances({
    wishes: wishes.map(([ago, instances]) => ({ instances, at: new Date(NOW - ago * 1000).toISOString() })),
    current,
    bounds: { ...BOUNDS, ...bounds },
    now: new Date(NOW).toISOString(),
  });
}

describe('decideInstances', () => {
  it.each<[string, number, [number, number][], number, string]>([
    ['holds without a wish', 4, [], 4, 'the load has asked for nothing yet'],
    ['holds where the wish is what runs', 4, [[0, 4]], 4, 'the load asks for 4'],
    [
      'grows at once',
      4,
      [
        [10, 2],
        [0, 6],
      ],
      6,
      'the load asks for 6',
    ],
    ['grows by four at most when small', 2, [[0, 9]], 6, 'the load asks for 9, and one step goes to 6 at most'],
    ['doubles at most when large', 10, [[0, 45]], 20, 'the load asks for 45, and one step goes to 20 at most'],
    ['never passes the maximum', 40, [[0, 60]], 50, 'the load asks for 60, and the maximum is 50'],
    [
      'never passes the minimum',
      4,
      [
        [40, 0],
        [0, 0],
      ],
      2,
      'the load asks for 0 for the last 30 s, and the minimum is 2',
    ],
    ['holds on a first smaller wish', 8, [[0, 3]], 8, 'the load asks for 3, but not yet for all of the last 30 s'],
    [
      'holds until the window is covered',
      8,
      [
        [29, 3],
        [15, 3],
        [0, 3],
      ],
      8,
      'the load asks for 3, but not yet for all of the last 30 s',
    ],
    [
      'shrinks once the window is covered',
      8,
      [
        [30, 3],
        [15, 3],
        [0, 3],
      ],
      3,
      'the load asks for 3 for the last 30 s',
    ],
    [
      'shrinks to the highest wish of the window',
      8,
      [
        [45, 5],
        [20, 5],
        [10, 4],
        [0, 3],
      ],
      5,
      'the load asks for 3, but asked for 5 within the last 30 s',
    ],
    [
      'holds while a wish for as many is in the window',
      8,
      [
        [45, 3],
        [20, 8],
        [0, 3],
      ],
      8,
      'the load asks for 3, but asked for 8 within the last 30 s',
    ],
    [
      'does not grow for an older, higher wish',
      4,
      [
        [45, 3],
        [20, 9],
        [0, 3],
      ],
      4,
      'the load asks for 3, but asked for 4 within the last 30 s',
    ],
    [
      'counts the wish in force at the start of the window',
      8,
      [
        [31, 8],
        [29, 3],
        [0, 3],
      ],
      8,
      'the load asks for 3, but asked for 8 within the last 30 s',
    ],
    [
      'trusts ticks rarer than the window',
      8,
      [
        [60, 3],
        [0, 3],
      ],
      3,
      'the load asks for 3 for the last 30 s',
    ],
    [
      'trusts no wish from before a long silence',
      8,
      [
        [900, 3],
        [599, 3],
        [0, 3],
      ],
      8,
      'the load asks for 3, but not yet for all of the last 30 s',
    ],
    ['comes back under a lowered maximum', 60, [[0, 60]], 50, 'the load asks for 60, and the maximum is 50'],
    [
      'comes up to a raised minimum without a wish',
      1,
      [],
      2,
      'the load has asked for nothing yet, and the minimum is 2',
    ],
  ])('%s', (_, current, wishes, instances, because) => {
    expect(decide(current, wishes)).toMatchObject({ instances, because });
  });

  it('shrinks at once where the window is 0', () => {
    expect(decide(8, [[0, 3]], { downAfterSeconds: 0 }).instances).toBe(3);
  });

  it('keeps the wishes of the window and the newest one before it', () => {
    const kept = decide(8, [
      [90, 3],
      [60, 3],
      [45, 3],
      [20, 3],
      [0, 3],
    ]).wishes;
    expect(kept.map(({ at }) => (NOW - Date.parse(at)) / 1000)).toEqual([45, 20, 0]);
  });

  it('drops what came before a long silence', () => {
    expect(
      decide(8, [
        [400, 3],
        [10, 3],
        [0, 3],
      ]).wishes,
    ).toHaveLength(2);
  });

  // The rows of the HPA's stabilisation (kubernetes 1.31.4, horizontal_test.go): clamp(current, last, highest).
  it('never moves outside current, last and highest wish, nor outside the bounds', () => {
    fc.assert(
      fc.property(anyWishes(), fc.integer({ min: 0, max: 100 }), (wishes, current) => {
        const { instances } = decide(current, wishes);
        const asked = wishes.map(([, count]) => count);
        expect(instances).toBeGreaterThanOrEqual(BOUNDS.min);
        expect(instances).toBeLessThanOrEqual(BOUNDS.max);
        expect(instances).toBeGreaterThanOrEqual(Math.min(current, BOUNDS.max, asked.at(-1) ?? current));
        expect(instances).toBeLessThanOrEqual(Math.max(current, BOUNDS.min, asked.at(-1) ?? current));
      }),
    );
  });

  it('decides the same from the wishes it kept', () => {
    fc.assert(
      fc.property(anyWishes(), fc.integer({ min: 0, max: 100 }), (wishes, current) => {
        const first = decide(current, wishes);
        const again = decideInstances({
          wishes: first.wishes,
          current,
          bounds: BOUNDS,
          now: new Date(NOW).toISOString(),
        });
        expect(again).toEqual(first);
      }),
    );
  });

  it('reaches a steady load and stays there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 2, max: 50 }), (start, wish) => {
        let state = { instances: start, wishes: [] as readonly { instances: number; at: string }[] };
        for (let second = 0; second <= 120; second += 5) {
          const now = new Date(NOW + second * 1000).toISOString();
          const wishes = [...state.wishes, { instances: wish, at: now }];
          state = decideInstances({ wishes, current: state.instances, bounds: BOUNDS, now });
          if (wish < start && second < 30) expect(state.instances).toBe(start);
        }
        expect(state.instances).toBe(wish);
      }),
    );
  });
});

function anyWishes() {
  const wish = fc.tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 100 }));
  return fc.array(wish, { maxLength: 20 }).map((wishes) => wishes.sort(([one], [other]) => other - one));
}
