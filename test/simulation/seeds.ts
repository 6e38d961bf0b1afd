import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import type { Ledger } from '../../activities/ledger/client.ts';
import { simulationBundle } from './bundle.ts';
import { Coverage } from './coverage.ts';
import { memoryLedger, SimulationRig } from './rig.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { runSeed, type SeedResult, ServerWedged } from './seed-run.ts';

/** What many seeds came to. */
export interface SeedsResult {
  readonly results: readonly SeedResult[];
  readonly coverage: Coverage;
  /** One paragraph for each seed that broke an invariant, with the command that runs it alone. */
  readonly broken: readonly string[];
}

/** Runs seeds, each on a server and a worker of its own. @param told called after each */
export async function runSeeds(
  seeds: readonly number[],
  told: (result: SeedResult, seconds: number) => void = () => {},
): Promise<SeedsResult> {
  const results = new Map<number, SeedResult>();
  const bundle = await simulationBundle();
  await withLedger((ledger) =>
    sideBySide(seeds, async (seed) => {
      const started = performance.now();
      const result = await runAlone(ledger, bundle, scenarioOf(seed));
      told(result, (performance.now() - started) / 1000);
      results.set(seed, result);
    }),
  );
  const inOrder = seeds.flatMap((seed) => results.get(seed) ?? []);
  const coverage = new Coverage();
  for (const result of inOrder) coverage.add(result);
  return {
    ...{ results: inOrder, coverage },
    broken: inOrder.filter(({ violations }) => violations.length > 0).map(paragraph),
  };
}

/** So many at once: one runs while another waits for an answer that never comes. */
const AT_ONCE = 2;

/** Does a work for each, a few at once. */
export async function sideBySide<T>(each: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = each[Symbol.iterator]();
  const worker = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Workflows that a worker keeps between their tasks. */
const CACHED = 50;
/** A forgetful one: fewer than run at the same time. With none the SDK trips over its own evictions. */
const FORGETFUL = 2;
/** How often a seed is tried on another server when one has lost a task. */
const TRIES = 3;

/** A seed on a server of its own: what one run leaves behind on it harms no other. */
export async function runAlone(
  shared: Ledger,
  bundle: WorkflowBundleWithSourceMap,
  scenario: Scenario,
): Promise<SeedResult> {
  for (let attempt = 1; ; attempt += 1) {
    // What was told before the server lost a task is no story of the run that comes after it.
    const ledger = attempt === 1 ? shared : memoryLedger();
    const rig = await SimulationRig.start(ledger);
    try {
      await rig.work(bundle, scenario.forgetful ? FORGETFUL : CACHED);
      return await runSeed(rig, scenario);
    } catch (error) {
      if (!(error instanceof ServerWedged) || attempt === TRIES) throw error;
      process.stderr.write(`seed ${scenario.seed} is run again: the server has lost a task (${error.message})\n`);
    } finally {
      await rig.stop();
      if (attempt > 1) await ledger.close();
    }
  }
}

/** A ledger in memory for the time of some work. */
export async function withLedger(work: (ledger: Ledger) => Promise<void>): Promise<void> {
  const ledger = memoryLedger();
  try {
    // Its start takes seconds, which no release shall wait for.
    await ledger.use(async () => {});
    await work(ledger);
  } finally {
    await ledger.close();
  }
}

function paragraph({ seed, violations }: SeedResult): string {
  const said = violations.slice(0, 3).map(({ invariant, says, at }) => `  ${invariant}: ${says} (${at})`);
  return [`seed ${seed}, run alone by: make soak SEED=${seed} SEEDS=1`, ...said].join('\n');
}
