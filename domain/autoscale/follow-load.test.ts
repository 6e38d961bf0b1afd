import { describe, expect, it } from '@jest/globals';
import type { ScaleBounds } from '../lane.ts';
import { decideInstances, type TimedWish } from './stabilise.ts';
import { wishForLoad } from './wish.ts';

const BOUNDS: ScaleBounds = { min: 2, max: 10, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };
const TICK_SECONDS = 5;
const START = Date.parse('2026-03-01T12:00:00Z');

/** Both decisions in turn, as workflow and lane take them; undefined load is a tick without figures. */
function follow(start: number, loads: readonly (number | undefined)[]): number[] {
  let instances = start;
  let wishes: readonly TimedWish[] = [];
  return loads.map((requestsPerSecond, tick) => {
    const now = new Date(START + tick * TICK_SECONDS * 1000).toISOString();
    const load = requestsPerSecond === undefined ? {} : { load: { requestsPerSecond, seconds: 15 } };
    const { wish } = wishForLoad({ bounds: BOUNDS, instances, windowSeconds: 15, ...load });
    const told = wish === null ? wishes : [...wishes, { instances: wish, at: now }];
    ({ instances, wishes } = decideInstances({ wishes: told, current: instances, bounds: BOUNDS, now }));
    return instances;
  });
}

const repeat = <T>(value: T, ticks: number): T[] => Array.from({ length: ticks }, () => value);

describe('following a load, tick by tick', () => {
  it('grows with a doubled load at once, and goes back when it has been gone for the whole window', () => {
    expect(follow(2, [...repeat(40, 3), ...repeat(80, 4), ...repeat(40, 8)])).toEqual([
      ...repeat(2, 3),
      ...repeat(4, 4),
      ...repeat(4, 6),
      ...repeat(2, 2),
    ]);
  });

  it('does not move for a load that swings within the tolerance', () => {
    const swings = Array.from({ length: 100 }, (_, tick) => 80 * (1 + 0.09 * Math.sin(tick)));
    expect(new Set(follow(4, swings))).toEqual(new Set([4]));
  });

  it('keeps what a load needs that peaks more often than the window is long', () => {
    const peaks = Array.from({ length: 60 }, (_, tick) => (tick % 5 === 0 ? 120 : 40));
    expect(new Set(follow(6, peaks))).toEqual(new Set([6]));
  });

  it('holds through silence of the metrics, and waits a whole window after it', () => {
    const instances = follow(6, [...repeat(120, 3), ...repeat(undefined, 20), ...repeat(0, 8)]);
    expect(instances.slice(0, 23 + 5)).toEqual(repeat(6, 28));
    expect(instances.at(-1)).toBe(2);
  });

  it('reaches a tenfold load in doubling steps', () => {
    expect(follow(2, repeat(200, 3))).toEqual([6, 10, 10]);
  });
});
