import { describe, expect, it } from '@jest/globals';
import { fitShift } from './fit-shift.ts';
import type { ShiftTarget } from './plan.ts';

const target = (instances: number, weight: number, keep: number, baseline: ShiftTarget['baseline'] = null) =>
  ({ order: 'up-first', instances, weight, keep, baseline }) as const;

describe('fitShift', () => {
  it.each<[string, ShiftTarget, number, ShiftTarget]>([
    ['leaves a shift as planned while as many serve', target(2, 50, 2), 4, target(2, 50, 2)],
    ['gives a share the instances that it needs by now', target(1, 25, 4), 8, target(2, 25, 8)],
    ['brings as many in the end as serve by now', target(4, 100, 4), 6, target(6, 100, 6)],
    ['keeps those that came, too, where some are to go', target(1, 25, 3), 6, target(2, 25, 5)],
    ['lets all go where all are to go', target(4, 100, 0), 6, target(6, 100, 0)],
    ['starts none again of those that went', target(1, 25, 4), 2, target(1, 25, 2)],
    [
      'has the baseline as large as the canary',
      target(1, 25, 4, { instances: 1, weight: 25 }),
      8,
      target(2, 25, 8, { instances: 2, weight: 25 }),
    ],
  ])('%s', (_, planned, now, expected) => {
    expect(fitShift(planned, 4, now)).toEqual(expected);
  });
});
