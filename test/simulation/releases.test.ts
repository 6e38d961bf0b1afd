/** Seeded releases in a world full of faults: see `scenario.ts` for what happens, `*-invariants.ts` for what must hold. */
import { expect, it } from '@jest/globals';
import { runSeeds } from './seeds.ts';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 20);

it('holds every invariant, whatever a seed has go wrong', async () => {
  const { broken, coverage } = await runSeeds(SEEDS);
  process.stderr.write(`${coverage.lines().join('\n')}\n`);
  expect(broken).toEqual([]);
  expect(coverage.missing()).toEqual([]);
}, 900_000);
