import { expect, it } from '@jest/globals';
import type { Expected } from './coverage.ts';
import { runSeeds } from './seeds.ts';

/** What one file runs takes a few minutes on one core. */
const LIMIT_MS = 1_200_000;

/** Declares the test of these seeds: every invariant holds, and everything that is to occur does. */
export function holdsInvariants(first: number, count: number, leastReleases: number, expected?: Expected): void {
  it(
    `holds every invariant in seeds ${first} to ${first + count - 1}, whatever goes wrong in them`,
    async () => {
      const { broken, coverage, results } = await runSeeds(Array.from({ length: count }, (_, index) => first + index));
      process.stderr.write(`${coverage.lines().join('\n')}\n`);
      expect({ broken, missing: coverage.missing(expected) }).toEqual({ broken: [], missing: [] });
      expect(results.reduce((sum, { views }) => sum + views.length, 0)).toBeGreaterThanOrEqual(leastReleases);
    },
    LIMIT_MS,
  );
}
