import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench, Figure } from './figure.ts';

/** What `bench/results/<bench>.json` holds. */
export interface BenchResult {
  readonly bench: string;
  /** The commit that was measured; ends in `-dirty` when the work tree differed from it. */
  readonly commit: string;
  readonly figures: readonly Figure[];
}

/** Names of the benches in a folder: its sources, but for `run.ts` and tests. */
function benchNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'run.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/**
 * Runs `<folder>/<name>.ts` and writes `<folder>/results/<name>.json`, whole or not at all. Throws when there is no
 * such bench, when it exports no function by default, or what it throws; nothing is written then.
 */
export async function runBench(folder: string, name: string): Promise<BenchResult> {
  const known = benchNames(folder);
  if (!known.includes(name)) {
    throw new Error(`There is no bench named "${name}". Benches: ${known.join(', ') || 'none'}`);
  }
  const module: { default?: unknown } = await import(pathToFileURL(join(folder, `${name}.ts`)).href);
  if (!isBench(module.default)) throw new Error(`bench/${name}.ts exports no function by default`);
  const result = { bench: name, commit: measuredCommit(folder), figures: await module.default() };
  const results = join(folder, 'results');
  mkdirSync(results, { recursive: true });
  const unfinished = join(results, `.${name}.json`);
  writeFileSync(unfinished, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(unfinished, join(results, `${name}.json`));
  return result;
}

function isBench(value: unknown): value is Bench {
  return typeof value === 'function';
}

/** The commit of the work tree around a folder; `unknown` outside of one, such as in an unpacked archive. */
function measuredCommit(folder: string): string {
  if (!existsSync(join(folder, '..', '.git'))) return 'unknown';
  return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  }).trim();
}
