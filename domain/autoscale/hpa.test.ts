import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instancesForLoad } from './hpa.ts';

describe('instancesForLoad', () => {
  it.each([
    // total, target, current, wish
    [8600, 2150, 3, 4, 'kubernetes, TestReplicaCalcScaleUpPerPodCMExternal'],
    [8600, 2867, 5, 3, 'kubernetes, TestReplicaCalcScaleDownPerPodCMExternal'],
    [8600, 2900, 3, 3, 'kubernetes, TestReplicaCalcTolerancePerPodCMExternal'],
    [8.6, 2.222, 3, 4, 'kubernetes, TestScaleUpPerPodCMExternal'],
    [80, 20, 4, 4, 'r = 1'],
    [88, 20, 4, 5, 'r = 1.1 is outside the band in IEEE doubles'],
    [72, 20, 4, 4, 'r = 0.9 is inside the band in IEEE doubles'],
    [87.9, 20, 4, 4, 'just inside the band, above'],
    [71.9, 20, 4, 4, 'outside the band below, but not by a whole instance'],
    [160, 20, 4, 8, 'twice the load'],
    [0, 20, 4, 0, 'no load'],
    [30, 20, 0, 2, 'from zero there is no dead band'],
    [0, 20, 0, 0, 'nothing from nothing'],
  ])('total %d at %d an instance, %d now: %d (%s)', (total, target, current, wish) => {
    expect(instancesForLoad({ total, target, current })).toBe(wish);
  });

  it('gives enough instances to bring the load of each within the tolerance', () => {
    const amount = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        fc.double({ min: 0.1, max: 1e4, noNaN: true }),
        fc.integer({ min: 0, max: 1e4 }),
        (total, target, current) => {
          const instances = instancesForLoad({ total, target, current });
          expect(Number.isInteger(instances)).toBe(true);
          expect(total / (instances * target)).toBeLessThanOrEqual(1.1 + 1e-9);
        },
      ),
    );
  });

  it('asks for no fewer instances when the load is higher', () => {
    const total = fc.double({ min: 0, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(
        total,
        total,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 1000 }),
        (one, other, target, current) => {
          const [low, high] = one < other ? [one, other] : [other, one];
          expect(instancesForLoad({ total: low, target, current })).toBeLessThanOrEqual(
            instancesForLoad({ total: high, target, current }),
          );
        },
      ),
    );
  });
});
