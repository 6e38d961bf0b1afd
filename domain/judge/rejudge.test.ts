import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { looks, seeded } from '../../test/simulated-canary.ts';
import type { JudgePolicy } from '../manifest.ts';
import type { JudgeInputs } from './inputs.ts';
import { judgeCanary } from './judge.ts';
import { rejudge } from './rejudge.ts';

const POLICY: JudgePolicy = {
  maxErrorPercent: 5,
  maxErrorIncreasePercent: 2,
  maxSlowdownPercent: 20,
  maxP99Ms: 300,
  minRequests: 50,
  alpha: 0.01,
};

function seen(seed: number, errors: number): JudgeInputs {
  const random = seeded(seed);
  const simulated = {
    policy: POLICY,
    canary: { requestsPerSecond: 20, errors, errorNoise: 0.5 },
    baseline: { requestsPerSecond: 20, errors: 0.002 },
    others: { requestsPerSecond: 160, errors: 0.002 },
    intervalSeconds: 1,
  };
  const inputs = [...looks(random, simulated, 40)].at(-1);
  if (inputs === undefined) throw new Error('no look');
  const times = () => Array.from({ length: 300 }, () => 50 * Math.exp(0.3 * random.normal()));
  return { ...inputs, latencyMemory: { canary: 20, baseline: 20 }, timings: { canary: times(), baseline: times() } };
}

describe('rejudge', () => {
  it('gives the same verdict bit by bit from inputs that were stored as JSON', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(0, 0.01, 0.03, 0.2), (seed, errors) => {
        const inputs = seen(seed, errors);
        const verdict = judgeCanary(inputs);
        const stored: JudgeInputs = JSON.parse(JSON.stringify(inputs));
        expect(JSON.stringify(rejudge(stored))).toBe(JSON.stringify(verdict));
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
      }),
      { numRuns: 50 },
    );
  });

  it('holds the same figures to another policy, and says which', () => {
    const inputs = { ...seen(1, 0), policy: { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 } };
    expect(judgeCanary(inputs).result).toBe('pass');
    const stricter = rejudge(inputs, { maxErrorPercent: 5, minRequests: 10_000, alpha: 0.01 });
    expect(stricter).toMatchObject({
      result: 'inconclusive',
      rule: 'too-few-canary-requests',
      parameters: { maxErrorPercent: 5, minRequests: 10_000, alpha: 0.01 },
    });
  });

  it('knows inputs by their hash, whatever the order of their fields', () => {
    const inputs = seen(1, 0);
    const turned = Object.fromEntries(Object.entries(inputs).reverse()) as unknown as JudgeInputs;
    expect(rejudge(turned).inputHash).toBe(rejudge(inputs).inputHash);
    expect(rejudge({ ...inputs, canaryShare: 11 }).inputHash).not.toBe(rejudge(inputs).inputHash);
  });
});
