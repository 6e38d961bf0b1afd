import { describe, expect, it } from '@jest/globals';
import { type CheckResult, type Health, isAlive, judgeResult, UNKNOWN_HEALTH } from './health.ts';

const CHECK = { gracePeriodSeconds: 5, maxConsecutiveFailures: 2 };
const GREEN: CheckResult = { ok: true };
const RED: CheckResult = { ok: false, cause: '404 Not Found' };

/** Results one second apart, the first a second after the start. */
function run(results: readonly CheckResult[], check = CHECK) {
  let health: Health = UNKNOWN_HEALTH;
  return results.map((result, index) => {
    const verdict = judgeResult(health, result, check, 0, (index + 1) * 1000);
    health = verdict.health;
    return { alive: isAlive(health), counted: verdict.counted, kill: verdict.kill };
  });
}

describe('judgeResult', () => {
  it('does not count failures within the grace period before the first success', () => {
    const seen = run([RED, RED, RED, RED, RED, RED, RED]);
    expect(seen.map(({ counted }) => counted)).toEqual([false, false, false, false, true, true, true]);
    expect(seen.every(({ alive }) => !alive)).toBe(true);
  });

  it('kills on the counted failure after the allowed ones', () => {
    expect(
      run([RED, RED, RED, RED, RED, RED, RED])
        .map(({ kill }) => kill)
        .lastIndexOf(true),
    ).toBe(6);
    expect(run([GREEN, RED, RED, RED]).map(({ kill }) => kill)).toEqual([false, false, false, true]);
  });

  it('counts failures in the grace period once there was a success', () => {
    expect(run([GREEN, RED])[1]).toEqual({ alive: false, counted: true, kill: false });
  });

  it('begins to count anew after a success', () => {
    expect(run([GREEN, RED, RED, GREEN, RED, RED, RED]).map(({ kill }) => kill)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('never kills with 0 allowed failures', () => {
    const check = { gracePeriodSeconds: 0, maxConsecutiveFailures: 0 };
    expect(run([RED, RED, RED, RED, RED], check).some(({ kill }) => kill)).toBe(false);
  });

  it('remembers what the API shows', () => {
    let health: Health = UNKNOWN_HEALTH;
    for (const [index, result] of [GREEN, GREEN, RED, RED].entries()) {
      health = judgeResult(health, result, CHECK, 0, (index + 1) * 1000).health;
    }
    expect(health).toEqual({
      firstSuccess: '1970-01-01T00:00:01.000Z',
      lastSuccess: '1970-01-01T00:00:02.000Z',
      lastFailure: '1970-01-01T00:00:04.000Z',
      lastFailureCause: '404 Not Found',
      consecutiveFailures: 2,
    });
  });
});
