import { describe, expect, it } from '@jest/globals';
import type { JudgePolicy } from '../../domain/manifest.ts';
import type { CanaryFigures, InfluxActivities } from './activities.ts';
import { type CanaryQuestion, createCanaryActivities } from './canary.ts';

const NONE: CanaryFigures = { intervals: [], timings: { canary: [], baseline: [] } };
const question = (policy: Partial<JudgePolicy>): CanaryQuestion & { readonly to: string } => ({
  ...{ environment: 'prod', service: 'sample', canary: 'r2', baseline: 'r1-baseline', canaryShare: 5 },
  ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:10:00.000Z' },
  policy: { maxErrorPercent: 5, minRequests: 50, alpha: 0.05, ...policy },
});

describe('what is read for a judge', () => {
  it.each<[string, Partial<JudgePolicy>, boolean]>([
    ['errors alone', {}, false],
    ['the slowest answers', { maxP99Ms: 300 }, true],
    ['answers that are slower than those of the old revision', { maxSlowdownPercent: 20 }, true],
  ])('has times of single answers where it judges by %s', async (_, policy, expected) => {
    const asked: Parameters<InfluxActivities['readCanaryFigures']>[0][] = [];
    const { readJudgeInputs } = createCanaryActivities({
      readCanaryFigures: async (input) => {
        asked.push(input);
        return NONE;
      },
    });
    expect(await readJudgeInputs(question(policy))).toMatchObject({ windowSeconds: 600, canaryShare: 5, ...NONE });
    expect(asked.map(({ intervalSeconds, timings }) => ({ intervalSeconds, timings }))).toEqual([
      { intervalSeconds: 5, timings: expected },
    ]);
  });
});
