import { describe, expect, it } from '@jest/globals';
import type { ShiftTarget, Step } from './plan.ts';
import { changesOf } from './plan-changes.ts';

const shift = (id: string, target: ShiftTarget): Step => ({ id, kind: 'shift', environment: 'prod', ...target });
const up = (instances: number, weight: number, keep: number, baseline: number | null = null): ShiftTarget => ({
  ...{ order: 'up-first', instances, weight, keep },
  baseline: baseline === null ? null : { instances: baseline, weight },
});
const serving = { prod: { revision: 'r3', instances: 4, configVersion: 0 } };

describe('changesOf', () => {
  it.each<[string, ShiftTarget[], object]>([
    [
      'a canary: both revisions and the baseline at the most, what served at the least',
      [up(1, 10, 4, 1), up(2, 50, 4), up(4, 100, 4)],
      { starts: 4, baseline: 1, fewest: 4, most: 8, weights: [10, 50, 100] },
    ],
    [
      'rolling: one more than served',
      [up(1, 25, 3), up(2, 50, 2), up(3, 75, 1), up(4, 100, 0)],
      { starts: 4, baseline: 0, fewest: 4, most: 5, weights: [25, 50, 75, 100] },
    ],
    [
      'recreate: nothing serves for a while',
      [{ ...up(4, 100, 0), order: 'down-first' }],
      { starts: 4, baseline: 0, fewest: 0, most: 4, weights: [100] },
    ],
    [
      'brutal: anything between nothing and both',
      [{ ...up(4, 100, 0), order: 'at-once' }],
      { starts: 4, baseline: 0, fewest: 0, most: 8, weights: [100] },
    ],
    [
      'blue-green: no traffic at first is a weight too',
      [up(4, 0, 4), up(4, 100, 4)],
      { starts: 4, baseline: 0, fewest: 4, most: 8, weights: [0, 100] },
    ],
  ])('%s', (_, targets, expected) => {
    const steps = targets.map((target, index) => shift(`shift-prod-${index + 1}`, target));
    expect(changesOf(steps, serving)).toEqual([
      { environment: 'prod', stops: { revision: 'r3', instances: 4 }, ...expected },
    ]);
  });

  it('of a first deploy stops nothing', () => {
    const steps: Step[] = [
      { id: 'build', kind: 'build' },
      { id: 'deploy-fat', kind: 'deploy', environment: 'fat', instances: 2 },
    ];
    expect(changesOf(steps, { fat: null })).toEqual([
      { environment: 'fat', starts: 2, stops: null, baseline: 0, fewest: 0, most: 2, weights: [100] },
    ]);
  });
});
