import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CanaryEntry, type ReleaseSpec, STRATEGIES } from './manifest.ts';
import type { StepDraft } from './plan.ts';
import { type Rollout, strategySteps } from './strategies.ts';

const policy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };
const RELEASE: ReleaseSpec = {
  strategy: 'canary',
  canary: [],
  rolling: { batchPercent: 25, surgePercent: 25 },
  metrics: { errors: policy, times: { ...policy, maxSlowdownPercent: 20 } },
  approvals: { count: 1, group: 'managers', expiresSeconds: 60 },
  windows: [],
  bakeSeconds: 10,
  retryWithinSeconds: 0,
};

const rollout = (release: Partial<ReleaseSpec>, instances = 4, running = instances): Rollout => ({
  environment: 'prod',
  instances,
  running: { revision: 'r3', instances: running, configVersion: 0 },
  release: { ...RELEASE, ...release },
});

/** Each step in a few words, such as `shift up-first 2@50 keep 4 beside 1@10`. */
function said(steps: readonly StepDraft[]): string[] {
  return steps.map((step) => {
    switch (step.kind) {
      case 'shift': {
        const { baseline, instances, keep, order, weight } = step;
        return `${order} ${instances}@${weight} keep ${keep}${baseline ? ` beside ${baseline.instances}@${baseline.weight}` : ''}`;
      }
      case 'hold':
        return `hold ${step.seconds}${step.watch ? ` watched by ${step.watch.name}` : ''}`;
      case 'judge':
        return `judge ${step.name} of ${step.seconds} and ${step.moreSeconds}`;
      case 'approve':
        return `approve ${step.count} of ${step.group}`;
      default:
        return step.kind;
    }
  });
}

const w = (weight: number): CanaryEntry => ({ kind: 'weight', weight });
const i = (instances: number): CanaryEntry => ({ kind: 'instances', instances });
const hold = (seconds: number): CanaryEntry => ({ kind: 'hold', seconds });
const judge = (name: string): CanaryEntry => ({ kind: 'judge', name });
const approve: CanaryEntry = { kind: 'approve', count: 2 };

describe('canary', () => {
  it.each<[string, CanaryEntry[], string[]]>([
    ['nothing asked: one shift', [], ['up-first 4@100 keep 4']],
    [
      'a canary beside a fresh baseline as large as itself, as long as judges are to come',
      [i(1), w(10), hold(60), judge('errors'), w(50)],
      [
        ...['up-first 1@10 keep 4 beside 1@10', 'hold 60 watched by errors', 'judge errors of 60 and 120'],
        ...['up-first 2@50 keep 4', 'up-first 4@100 keep 4'],
      ],
    ],
    [
      'a weight brings the instances that it needs, and the baseline gets what is left',
      [w(10), hold(1), w(75), hold(30), hold(30), judge('times')],
      [
        ...['up-first 1@10 keep 4 beside 1@10', 'hold 1 watched by times', 'up-first 3@75 keep 4 beside 3@25'],
        ...['hold 30 watched by times', 'hold 30 watched by times', 'judge times of 60 and 120'],
        'up-first 4@100 keep 4',
      ],
    ],
    [
      'never more instances than in the end; those of a later entry come before what follows it',
      [i(2), w(5), approve, i(9), hold(7)],
      ['up-first 2@5 keep 4', 'approve 2 of managers', 'up-first 4@5 keep 4', 'hold 7', 'up-first 4@100 keep 4'],
    ],
    [
      'instances without traffic are held unwatched: there is nothing to see',
      [i(1), hold(7), w(5), hold(9), judge('errors')],
      [
        ...['up-first 1@0 keep 4 beside 1@0', 'hold 7', 'up-first 1@5 keep 4 beside 1@5', 'hold 9 watched by errors'],
        ...['judge errors of 9 and 18', 'up-first 4@100 keep 4'],
      ],
    ],
  ])('%s', (_, canary, expected) => {
    expect(said(strategySteps(rollout({ canary })))).toEqual(expected);
  });

  it('gives a step the policy that the manifest has under its name', () => {
    const steps = strategySteps(rollout({ canary: [w(10), hold(1), judge('times')] }));
    expect(steps[1]).toMatchObject({ watch: { name: 'times', policy: RELEASE.metrics['times'] } });
    expect(steps[2]).toMatchObject({ kind: 'judge', name: 'times', policy: RELEASE.metrics['times'] });
  });
});

describe('the other strategies', () => {
  it.each<[string, Rollout, string[]]>([
    [
      'rolling by a quarter with a quarter on top',
      rollout({ strategy: 'rolling' }),
      ['up-first 1@25 keep 3', 'up-first 2@50 keep 2', 'up-first 3@75 keep 1', 'up-first 4@100 keep 0'],
    ],
    [
      'rolling: no batch is larger than what may run on top',
      rollout({ strategy: 'rolling', rolling: { batchPercent: 100, surgePercent: 50 } }),
      ['up-first 2@50 keep 2', 'up-first 4@100 keep 0'],
    ],
    [
      'rolling without anything on top: a batch of old ones stops first',
      rollout({ strategy: 'rolling', rolling: { batchPercent: 50, surgePercent: 0 } }),
      ['down-first 2@50 keep 2', 'down-first 4@100 keep 0'],
    ],
    [
      'rolling to more than serve now: old ones stop only when as many new ones serve',
      rollout({ strategy: 'rolling', rolling: { batchPercent: 50, surgePercent: 50 } }, 4, 2),
      ['up-first 2@50 keep 2', 'up-first 4@100 keep 0'],
    ],
    ['rolling of a single instance', rollout({ strategy: 'rolling' }, 1), ['up-first 1@100 keep 0']],
    [
      'blue-green: all of the new one without traffic, then all traffic',
      rollout({ strategy: 'blue-green' }),
      ['up-first 4@0 keep 4', 'up-first 4@100 keep 4'],
    ],
    ['recreate: old ones stop, then new ones start', rollout({ strategy: 'recreate' }), ['down-first 4@100 keep 0']],
    ['brutal: all at once', rollout({ strategy: 'brutal' }), ['at-once 4@100 keep 0']],
  ])('%s', (_, given, expected) => {
    expect(said(strategySteps(given))).toEqual(expected);
  });
});

describe('every strategy', () => {
  const share = fc.integer({ min: 1, max: 100 });
  const entries = fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 })
    .chain((weights) =>
      fc.tuple(
        ...weights
          .sort((a, b) => a - b)
          .map((weight) =>
            fc
              .subarray([hold(5), judge('errors'), hold(3), approve, judge('times')])
              .map((rest) => [w(weight), hold(1), ...rest]),
          ),
      ),
    )
    .map((parts) => parts.flat());
  const rollouts = fc
    .record({
      strategy: fc.constantFrom(...STRATEGIES),
      canary: entries,
      batchPercent: share,
      surgePercent: fc.integer({ min: 0, max: 100 }),
      wanted: fc.integer({ min: 1, max: 60 }),
      running: fc.integer({ min: 1, max: 60 }),
    })
    .map(({ strategy, canary, batchPercent, surgePercent, wanted, running }) =>
      rollout({ strategy, canary, rolling: { batchPercent, surgePercent } }, Math.max(wanted, running), running),
    );

  it('ends with all traffic on as many instances as were asked for, and never falls behind on the way', () => {
    fc.assert(
      fc.property(rollouts, (given) => {
        const shifts = strategySteps(given).filter((step) => step.kind === 'shift');
        expect(shifts.at(-1)).toMatchObject({ weight: 100, instances: given.instances, baseline: null });
        for (const [index, shift] of shifts.entries()) {
          const before = shifts[index - 1] ?? { weight: 0, instances: 0, keep: given.running.instances };
          expect(shift.weight).toBeGreaterThanOrEqual(before.weight);
          expect(shift.instances).toBeGreaterThanOrEqual(before.instances);
          expect(shift.keep).toBeLessThanOrEqual(before.keep);
          // Whoever has traffic has instances.
          expect(shift.weight === 0 || shift.instances > 0).toBe(true);
          expect(shift.weight + (shift.baseline?.weight ?? 0)).toBeLessThanOrEqual(100);
          const rest = 100 - shift.weight - (shift.baseline?.weight ?? 0);
          expect(rest === 0 || shift.keep > 0).toBe(true);
        }
      }),
    );
  });

  it('keeps what serves now while it goes, but where old instances are to stop first', () => {
    fc.assert(
      fc.property(rollouts, (given) => {
        let up = 0;
        let kept = given.running.instances;
        for (const step of strategySteps(given)) {
          if (step.kind !== 'shift') continue;
          if (step.order === 'up-first') {
            // The new ones are up before old ones go.
            expect(step.instances + step.keep).toBeGreaterThanOrEqual(given.running.instances);
            if (given.release.strategy === 'rolling') {
              const { surgePercent } = given.release.rolling;
              const most = given.instances + Math.ceil((given.instances * surgePercent) / 100);
              expect(step.instances + kept).toBeLessThanOrEqual(most);
            }
          } else if (given.release.strategy === 'rolling') {
            const batch = Math.ceil((given.instances * given.release.rolling.batchPercent) / 100);
            expect(up + step.keep).toBeGreaterThanOrEqual(Math.min(given.running.instances, given.instances - batch));
          }
          [up, kept] = [step.instances, step.keep];
        }
      }),
    );
  });

  it('has a baseline exactly while judges are to come', () => {
    fc.assert(
      fc.property(rollouts, (given) => {
        const steps = strategySteps(given);
        for (const [index, step] of steps.entries()) {
          if (step.kind !== 'shift') continue;
          const judged = steps.slice(index).some(({ kind }) => kind === 'judge');
          expect(step.baseline !== null).toBe(judged);
          expect(step.baseline?.instances ?? step.instances).toBe(step.instances);
        }
      }),
    );
  });
});
