/** Invariants that notice nothing are worth nothing: each of these small mistakes must break one of them. */
import { expect, it } from '@jest/globals';
import type { Ledger } from '../../activities/ledger/client.ts';
import { simulationBundle } from './bundle.ts';
import { MUTANTS, type Mutant, mutated } from './mutants.ts';
import { scenarioOf } from './scenario.ts';
import { runAlone, sideBySide, withLedger } from './seeds.ts';

/** Where the known seed notices nothing any more, so many others are tried. */
const FURTHER = 15;
/** Of twenty. */
const NOTICED_AT_LEAST = 19;

it('notices at least nineteen of any twenty mistakes', async () => {
  const unnoticed: string[] = [];
  await withLedger(async (ledger) => {
    await sideBySide(MUTANTS, async (mutant) => {
      const noticed = await noticedBy(ledger, mutant);
      process.stderr.write(`${mutant.name}: ${noticed ?? 'NOT NOTICED'}\n`);
      if (noticed === undefined) unnoticed.push(mutant.name);
    });
  });
  const most = Math.floor(MUTANTS.length * (1 - NOTICED_AT_LEAST / 20) + 1e-9);
  expect(unnoticed.length > most ? unnoticed : []).toEqual([]);
}, 1_200_000);

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
