import { describe, expect, it } from '@jest/globals';
import { type HealthState, judgeHealth, UNKNOWN_HEALTH } from './health-check.ts';

const check = { type: 'HTTP', grace_period_seconds: 5, consecutive_failures: 2 } as const;
const failed = (failures: number): HealthState => ({ initial: false, failures });

describe('judgeHealth', () => {
  it.each<[string, HealthState, boolean, number, ReturnType<typeof judgeHealth>]>([
    ['the first success is told', UNKNOWN_HEALTH, true, 1, { state: failed(0), healthy: true, kill: false }],
    ['a further success is not', failed(0), true, 1, { state: failed(0), kill: false }],
    ['a success after a failure is told', failed(1), true, 1, { state: failed(0), healthy: true, kill: false }],
    [
      'a failure inside the grace period does not count',
      UNKNOWN_HEALTH,
      false,
      5,
      { state: UNKNOWN_HEALTH, kill: false },
    ],
    [
      'a failure after the grace period does',
      UNKNOWN_HEALTH,
      false,
      6,
      { state: { initial: true, failures: 1 }, healthy: false, kill: false },
    ],
    ['once healthy the grace period is over', failed(0), false, 1, { state: failed(1), healthy: false, kill: false }],
    ['the last allowed failure kills', failed(1), false, 9, { state: failed(2), healthy: false, kill: true }],
  ])('%s', (_name, state, passed, seconds, verdict) => {
    expect(judgeHealth(check, state, passed, seconds)).toEqual(verdict);
  });

  it("uses Mesos' defaults", () => {
    const bare = { type: 'TCP' } as const;
    expect(judgeHealth(bare, UNKNOWN_HEALTH, false, 10).state.failures).toBe(0);
    expect(judgeHealth(bare, UNKNOWN_HEALTH, false, 11).state.failures).toBe(1);
    expect(judgeHealth(bare, failed(1), false, 11).kill).toBe(false);
    expect(judgeHealth(bare, failed(2), false, 11).kill).toBe(true);
  });
});
