import { describe, expect, it } from '@jest/globals';
import { baselineName, revisionName, revisionNumber } from './environment.ts';

describe('revisionNumber', () => {
  it.each([
    [revisionName(7), 7],
    [baselineName(revisionName(12)), 12],
    ['r0', undefined],
    ['r7-other', undefined],
    ['web', undefined],
  ])('of %s is %s', (name, number) => {
    expect(revisionNumber(name)).toBe(number);
  });
});
