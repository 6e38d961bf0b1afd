/**
 * `node test/run.ts [suite...]`: runs the named suites, or all, one after the other. The last line reads
 * `N passed, N failed, N skipped`; exit code 0 only if nothing failed.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommandLine, SetupError } from '../local/setup-error.ts';
import { ensureToolbox, PART_NAMES } from '../local/toolbox/toolbox.ts';
import { ensureClients } from './conformance/clients/clients.ts';
import { clearScratch, makeScratch } from './scratch.ts';
import { sum, summaryLine, type Tally, tallyOf } from './suite-result.ts';

/** In the order of their cost, so that what breaks shows early. */
const SUITES = ['unit', 'workflows', 'conformance', 'simulation', 'integration', 'faults', 'e2e'] as const;

/** No suite may take longer; one that hangs is ended and counts as failed. */
const SUITE_WITHIN_MS = 25 * 60_000;

const ROOT = join(import.meta.dirname, '..');
const REPORTS = join(ROOT, '.slipway/test');

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Whether a signal asked for the end; then no further suite is begun. */
let interrupted = false;

await runCommandLine(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(SUITES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new SetupError(`there is no suite ${unknown.join(', ')}: the suites are ${SUITES.join(', ')}`);
  }
  const chosen = asked.length === 0 ? SUITES.filter(hasTests) : asked;
  const needsParts = chosen.some((suite) => suite !== 'unit');
  const env = needsParts ? (await ensureToolbox(PART_NAMES, say)).env() : {};
  if (chosen.includes('conformance')) {
    await ensureClients(say);
  }
  mkdirSync(REPORTS, { recursive: true });
  const tallies: Tally[] = [];
  for (const suite of chosen) {
    if (interrupted) {
      throw new SetupError('interrupted');
    }
    const started = Date.now();
    say(`==> ${suite}`);
    const scratch = makeScratch();
    try {
      const tally = await runSuite(suite, { ...env, TMPDIR: scratch });
      say(`==> ${suite}: ${summaryLine(tally)}, ${((Date.now() - started) / 1000).toFixed(0)} s`);
      tallies.push(tally);
    } finally {
      await clearScratch(scratch, say);
    }
  }
  const total = sum(tallies);
  say(summaryLine(total));
  process.exitCode = total.failed === 0 ? 0 : 1;
});

function hasTests(suite: string): boolean {
  return suite === 'unit' || globSync(`test/${suite}/**/*.test.ts`, { cwd: ROOT }).length > 0;
}

/** Files side by side: more than there are cores to count on where tests mostly wait for a server. */
function workersOf(suite: string): string {
  return suite === 'workflows' ? '3' : '2';
}

async function runSuite(suite: string, env: Readonly<Record<string, string>>): Promise<Tally> {
  const report = join(REPORTS, `${suite}.json`);
  rmSync(report, { force: true });
  const jest = spawn(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
      ...[
        '--selectProjects',
        suite,
        '--passWithNoTests',
        '--maxWorkers',
        workersOf(suite),
        '--json',
        '--outputFile',
        report,
      ],
      // By default it is in the temporary directory, which is a new one each time.
      ...['--cacheDirectory', join(REPORTS, 'jest-cache')],
    ],
    {
      cwd: ROOT,
      // Jest's stdout is the report once more; what people read goes to stderr.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
      timeout: SUITE_WITHIN_MS,
      killSignal: 'SIGKILL',
    },
  );
  const end = (signal: NodeJS.Signals): void => {
    interrupted = true;
    jest.kill(signal);
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  const exitCode = await new Promise<number>((resolve, reject) => {
    jest.once('error', reject);
    jest.once('exit', (code, signal) => {
      if (signal !== null) {
        say(`==> ${suite} died of ${signal}`);
      }
      resolve(code ?? 1);
    });
  });
  process.off('SIGTERM', end).off('SIGINT', end);
  return tallyOf(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined, exitCode);
}
