import { describe, expect, it } from '@jest/globals';
import { sum, summaryLine, tallyOf } from '../suite-result.ts';

const REPORT = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 1,
  numRuntimeErrorTestSuites: 0,
};

describe('tallyOf', () => {
  it('counts what Jest counts, todo as skipped', () => {
    expect(tallyOf(REPORT, 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
    expect(tallyOf({ ...REPORT, numFailedTests: 2 }, 1)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  });

  it('counts a test file that does not load as a failure', () => {
    expect(tallyOf({ ...REPORT, numRuntimeErrorTestSuites: 1 }, 1).failed).toBe(1);
  });

  it('counts an end with an error as a failure although every test passed', () => {
    expect(tallyOf(REPORT, 1).failed).toBe(1);
  });

  it('counts a run that left no report as a failure', () => {
    expect(tallyOf(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('summaryLine', () => {
  it('is what CI reads', () => {
    expect(summaryLine(sum([tallyOf(REPORT, 0), tallyOf(REPORT, 0)]))).toBe('10 passed, 0 failed, 6 skipped');
    expect(summaryLine(sum([]))).toBe('0 passed, 0 failed, 0 skipped');
  });
});
