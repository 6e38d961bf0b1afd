/** `node bench/run.ts NAME`: runs one bench, prints its figures, and exits 0 only if every bar holds. */
import { runBench } from './runner/bench-result.ts';
import { figureTable, shortcomings } from './runner/figure.ts';

const name = process.argv[2] ?? '';
try {
  const { commit, figures } = await runBench(import.meta.dirname, name);
  process.stdout.write(`${name} at ${commit}\n\n${figureTable(figures)}\n\n`);
  const reasons = shortcomings(figures);
  for (const reason of reasons) console.error(`bench ${name}: ${reason}`);
  process.exitCode = reasons.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`bench ${name}:`, error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
