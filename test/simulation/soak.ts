/**
 * `SEED=1 SEEDS=10000 node test/simulation/soak.ts`: runs so many seeds from the first on, and says of each that breaks an
 * invariant how to run it alone. Exit code 0 only if none does.
 */
import { runCommandLine } from '../../local/setup-error.ts';
import { ensureToolbox, PART_NAMES } from '../../local/toolbox/toolbox.ts';
import { Coverage } from './coverage.ts';
import { runSeeds } from './seeds.ts';

/** So many seeds share a ledger, and are remembered whole. */
const PORTION = 100;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

await runCommandLine(async () => {
  if (!process.env['TEMPORAL_TEST_SERVER_PATH'])
    Object.assign(process.env, (await ensureToolbox(PART_NAMES, say)).env());
  const first = Number(process.env['SEED'] ?? 1);
  const count = Number(process.env['SEEDS'] ?? 1000);
  const coverage = new Coverage();
  const broken: string[] = [];
  let releases = 0;
  for (let next = first; next < first + count; next += PORTION) {
    const seeds = Array.from({ length: Math.min(PORTION, first + count - next) }, (_, index) => next + index);
    const portion = await runSeeds(seeds, ({ seed, views, violations }, seconds) => {
      const outcomes = views.map(({ outcome, failure }) => `${outcome}${failure ? ` (${failure.type})` : ''}`);
      say(`${seed} ${seconds.toFixed(1)} s ${outcomes.join(', ')}${violations.length > 0 ? ' BROKEN' : ''}`);
    });
    for (const result of portion.results) coverage.add(result);
    broken.push(...portion.broken);
    releases += portion.results.reduce((sum, { views }) => sum + views.length, 0);
  }
  for (const line of [...coverage.lines(), ...broken]) say(line);
  say(`${releases} releases of ${count} seeds, ${broken.length} broken`);
  process.exitCode = broken.length === 0 ? 0 : 1;
});
