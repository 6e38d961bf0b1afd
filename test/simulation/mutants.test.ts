/** Invariants that notice nothing are worth nothing: each of these small mistakes must break one of them. */
import { expect, it } from '@jest/globals';
import type { Ledger } from '../../activities/ledger/client.ts';
import { simulationBundle } from './bundle.ts';
import { MUTANTS, type Mutant, mutated } from './mutants.ts';
import { scenarioOf } from './scenario.ts';
import { runAlone, withLedger } from './seeds.ts';

/** Where the known seed notices nothing any more, so many others are tried. */
const FURTHER = 15;
const UNNOTICED_AT_MOST = 1;

it('notices at least all mistakes but one', async () => {
  const unnoticed: string[] = [];
  await withLedger(async (ledger) => {
    for (const mutant of MUTANTS) {
      const noticed = await noticedBy(ledger, mutant);
      process.stderr.write(`${mutant.name}: ${noticed ?? 'NOT NOTICED'}\n`);
      if (noticed === undefined) unnoticed.push(mutant.name);
    }
  });
  expect(unnoticed.length).toBeLessThanOrEqual(UNNOTICED_AT_MOST);
}, 900_000);

/** The invariant that notices it, and with which seed. */
async function noticedBy(ledger: Ledger, mutant: Mutant): Promise<string | undefined> {
  const bundle = await simulationBundle(new Map([[mutant.file, mutated(mutant)]]));
  const others = Array.from({ length: FURTHER }, (_, index) => index + 1);
  for (const [index, seed] of [mutant.seed, ...others].entries()) {
    const service = `m${MUTANTS.indexOf(mutant)}-${index}`;
    const { violations } = await runAlone(ledger, bundle, { ...scenarioOf(seed), service });
    const [first] = violations;
    if (first) return `${first.invariant}, seed ${seed}`;
  }
  return undefined;
}
