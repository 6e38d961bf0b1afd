import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(120_000);

const repository = dirname(dirname(import.meta.dirname));
const summary = (line: string) => `@echo something; echo '${line}'`;
const quick = { SLIPWAY_CI_TEST_LIMIT: '60s', SLIPWAY_CI_DEMO_LIMIT: '60s' };
let root = '';

/** Starts the real `.ci/run` in a checkout whose `make` has these recipes. */
function start(recipes: { test: string; demo: string }, environment: NodeJS.ProcessEnv = quick): ChildProcess {
  writeFileSync(join(root, 'Makefile'), `test:\n\t${recipes.test}\ndemo:\n\t${recipes.demo}\n`);
  // The tests may run under make themselves; the make of this checkout knows nothing of that one.
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _short, ...inherited } = process.env;
  return spawn(join(root, '.ci', 'run'), {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string; lastLine: string }> {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, output, lastLine: output.trimEnd().split('\n').at(-1) ?? '' };
}

const run = (test: string, demo: string, environment?: NodeJS.ProcessEnv) => finish(start({ test, demo }, environment));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-ci-'));
  mkdirSync(join(root, '.ci'));
  cpSync(join(repository, '.ci', 'run'), join(root, '.ci', 'run'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('.ci/run', () => {
  it('adds the demo to the tests, repeats the sum as its last line and keeps both logs', async () => {
    const { code, output, lastLine } = await run(summary('7 passed, 0 failed, 2 skipped'), '@echo the demo is done');
    expect({ code, lastLine }).toEqual({ code: 0, lastLine: '8 passed, 0 failed, 2 skipped' });
    expect(output).toContain('the demo is done');
    expect(readFileSync(join(root, '.slipway', 'ci', 'test.log'), 'utf8')).toContain('7 passed');
    expect(readFileSync(join(root, '.slipway', 'ci', 'demo.log'), 'utf8')).toBe('the demo is done\n');
  });

  it.each([
    ['a test fails', `${summary('6 passed, 1 failed, 0 skipped')}; exit 1`, '@true', '7 passed, 1 failed, 0 skipped'],
    [
      'a failure is not in the exit code',
      summary('6 passed, 1 failed, 0 skipped'),
      '@true',
      '7 passed, 1 failed, 0 skipped',
    ],
    [
      'something fails that is no test',
      `${summary('6 passed, 0 failed, 0 skipped')}; exit 1`,
      '@true',
      '7 passed, 1 failed, 0 skipped',
    ],
    ['the tests never start', '@exit 2', '@true', '1 passed, 1 failed, 0 skipped'],
    ['the tests say nothing', '@true', '@true', '1 passed, 1 failed, 0 skipped'],
    ['the demo fails', summary('6 passed, 0 failed, 0 skipped'), '@exit 3', '6 passed, 1 failed, 0 skipped'],
  ])('fails when %s', async (_, test, demo, expected) => {
    const { code, lastLine } = await run(test, demo);
    expect({ code, lastLine }).toEqual({ code: 1, lastLine: expected });
  });

  it('stops a demo that does not end, and fails', async () => {
    const demo = `@echo $$$$ > pid; exec sleep 300`;
    const { code, output, lastLine } = await run(summary('6 passed, 0 failed, 0 skipped'), demo, {
      ...quick,
      // Long enough for a busy machine to begin it.
      SLIPWAY_CI_DEMO_LIMIT: '6s',
    });
    expect({ code, lastLine }).toEqual({ code: 1, lastLine: '6 passed, 1 failed, 0 skipped' });
    expect(output).toContain('make demo did not end within 6s and was stopped');
    await untilEnded(Number(readFileSync(join(root, 'pid'), 'utf8')));
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends what it started when it gets %s', async (signal) => {
    const child = start({ test: `@echo $$$$ > started; mv started pid; exec sleep 300`, demo: '@true' });
    const finished = finish(child);
    await until('make test runs', () => existsSync(join(root, 'pid')));
    child.kill(signal);
    const { code } = await finished;
    expect(code).toBe(signal === 'SIGTERM' ? 143 : 130);
    await untilEnded(Number(readFileSync(join(root, 'pid'), 'utf8')));
  });
});

/** A process that was told to end does so in its own time; nothing may be left of it in the end. */
const untilEnded = (pid: number) => until(`process ${pid} has ended`, () => !existsSync(`/proc/${pid}`));

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited 20 s for: ${what}`);
    await pause(20);
  }
}
