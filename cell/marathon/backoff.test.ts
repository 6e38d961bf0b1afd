import { describe, expect, it } from '@jest/globals';
import { afterFailure, afterStart, type Backoff, backoffKey, isForgotten, launchAllowedAt } from './backoff.ts';
import { testApp } from './test-apps.ts';

const LIMITS = { backoffSeconds: 2, backoffFactor: 2, maxLaunchDelaySeconds: 20 };

describe('backoff', () => {
  it('grows from failure to failure up to its limit', () => {
    const delays: number[] = [];
    let backoff: Backoff | undefined;
    for (let failure = 0; failure < 6; failure += 1) {
      backoff = afterFailure(backoff, LIMITS, failure * 1000);
      delays.push(backoff.delayMs / 1000);
      expect(launchAllowedAt(backoff)).toBe(failure * 1000 + backoff.delayMs);
    }
    expect(delays).toEqual([2, 4, 8, 16, 20, 20]);
  });

  it('begins below a limit that is smaller than its first delay', () => {
    expect(afterFailure(undefined, { ...LIMITS, maxLaunchDelaySeconds: 1 }, 0).delayMs).toBe(1000);
  });

  it('does not delay at all with a delay of 0', () => {
    expect(launchAllowedAt(afterFailure(undefined, { ...LIMITS, backoffSeconds: 0 }, 5))).toBe(5);
  });

  it('spaces launches while there is a delay', () => {
    const backoff = afterStart(afterFailure(undefined, LIMITS, 0), 2000);
    expect(launchAllowedAt(backoff)).toBe(4000);
    expect(afterFailure(backoff, LIMITS, 3000)).toEqual({ delayMs: 4000, referenceMs: 3000 });
  });

  it('is forgotten after a quiet time as long as the longest delay', () => {
    const backoff = afterFailure(undefined, LIMITS, 1000);
    expect(isForgotten(backoff, LIMITS, 21_000)).toBe(false);
    expect(isForgotten(backoff, LIMITS, 21_001)).toBe(true);
  });

  it('belongs to a configuration', () => {
    const app = testApp('/a');
    expect(backoffKey({ ...app, version: 'scaled' } as typeof app)).toBe(backoffKey(app));
    expect(backoffKey({ ...app, generation: 'changed' })).not.toBe(backoffKey(app));
  });
});
