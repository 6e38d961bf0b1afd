/** A seed is only worth something if it says the same twice. */
import { expect, it } from '@jest/globals';
import type { SeedResult } from './seed-run.ts';
import { runSeeds } from './seeds.ts';

/** In the third the window of production closes in the middle, in the fourth two releases meet. */
const SEEDS = [2, 5, 11, 20];

it('makes the same changes, in the same order, when a seed is run again', async () => {
  const [first, second] = [await runSeeds(SEEDS), await runSeeds(SEEDS)];
  expect(second.results.map(story)).toEqual(first.results.map(story));
}, 900_000);

function story({ effects, seed, views }: SeedResult) {
  const steps = views.map(({ outcome, steps, failure }) => ({
    outcome,
    failure: failure?.type,
    steps: steps.map(({ id, outcome }) => `${id} ${outcome}`),
  }));
  return { seed, effects, steps };
}
