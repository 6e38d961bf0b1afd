import { z } from 'zod';

/** How many tests of a run ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The fields of Jest's `--json` report that count. */
const jestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  /** Test files that could not be run at all; none of their tests is counted above. */
  numRuntimeErrorTestSuites: z.number(),
});

/**
 * The tally of one suite. A test file that could not be loaded is a failure, and so is an end with an error although
 * no test failed (a crash, an open handle, a coverage bar): what broke must show in the sum.
 * @param report Jest's report, or undefined if it left none.
 */
export function tallyOf(report: unknown, exitCode: number): Tally {
  const parsed = jestReport.safeParse(report);
  if (!parsed.success) {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const counts = parsed.data;
  const failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  return {
    passed: counts.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: counts.numPendingTests + counts.numTodoTests,
  };
}

/** Adds tallies up. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (total, tally) => ({
      passed: total.passed + tally.passed,
      failed: total.failed + tally.failed,
      skipped: total.skipped + tally.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** The line that CI reads. */
export function summaryLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}
