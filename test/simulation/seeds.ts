import { simulationBundle } from './bundle.ts';
import { Coverage } from './coverage.ts';
import { memoryLedger, SimulationRig } from './rig.ts';
import { scenarioOf } from './scenario.ts';
import { runSeed, type SeedResult } from './seed-run.ts';

/** What many seeds came to. */
export interface SeedsResult {
  readonly results: readonly SeedResult[];
  readonly coverage: Coverage;
  /** One paragraph for each seed that broke an invariant, with the command that runs it alone. */
  readonly broken: readonly string[];
}

/** Runs seeds one after the other on a server and a worker of their own. @param told called after each */
export async function runSeeds(
  seeds: readonly number[],
  told: (result: SeedResult, seconds: number) => void = () => {},
): Promise<SeedsResult> {
  const results: SeedResult[] = [];
  const coverage = new Coverage();
  await withRig(async (rig) => {
    const bundle = await simulationBundle();
    let cached = CACHED;
    await rig.work(bundle, cached);
    for (const seed of seeds) {
      const scenario = scenarioOf(seed);
      const wanted = scenario.forgetful ? FORGETFUL : CACHED;
      if (wanted !== cached) await rig.work(bundle, wanted);
      cached = wanted;
      const started = performance.now();
      const result = await runSeed(rig, scenario);
      told(result, (performance.now() - started) / 1000);
      results.push(result);
      coverage.add(result);
    }
  });
  return { results, coverage, broken: results.filter(({ violations }) => violations.length > 0).map(paragraph) };
}

/** Workflows that a worker keeps between their tasks. */
const CACHED = 50;
/** A forgetful one: fewer than run at the same time. With none the SDK trips over its own evictions. */
const FORGETFUL = 2;

/** A rig for the time of some work. */
async function withRig(work: (rig: SimulationRig) => Promise<void>): Promise<void> {
  const ledger = memoryLedger();
  try {
    // Its start takes seconds, which no release shall wait for.
    await ledger.use(async () => {});
    const rig = await SimulationRig.start(ledger);
    try {
      await work(rig);
    } finally {
      await rig.stop();
    }
  } finally {
    await ledger.close();
  }
}

function paragraph({ seed, violations }: SeedResult): string {
  const said = violations.slice(0, 3).map(({ invariant, says, at }) => `  ${invariant}: ${says} (${at})`);
  return [`seed ${seed}, run alone by: make soak SEED=${seed} SEEDS=1`, ...said].join('\n');
}
