import { expect, it } from '@jest/globals';
import { isGivenUp, isInactive } from './lost.ts';
import type { UnreachableStrategy } from './model.ts';

const TIMED = { inactiveAfterSeconds: 5, expungeAfterSeconds: 20 };

it.each<[UnreachableStrategy, number, boolean, boolean]>([
  ['disabled', 1_000_000, false, false],
  [{ inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }, 0, true, true],
  [{ inactiveAfterSeconds: 0, expungeAfterSeconds: 1 }, 0, true, false],
  [TIMED, 499, false, false],
  [TIMED, 500, true, false],
  [TIMED, 1_999, true, false],
  [TIMED, 2_000, true, true],
])('of %j, lost for %d ms, with seconds of 100 ms: inactive %s, given up %s', (strategy, lostMs, inactive, givenUp) => {
  expect([isInactive(strategy, lostMs, 100), isGivenUp(strategy, lostMs, 100)]).toEqual([inactive, givenUp]);
});
