import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { until } from '../../local/platform/until.ts';
import { runStageCommand, type StageCommand } from './stage-process.ts';

let sandbox: string;
beforeEach(() => {
  sandbox = mkdtempSync(join(tmpdir(), 'slipway-stage-'));
});
afterEach(() => rmSync(sandbox, { recursive: true, force: true }));

const run = (script: string, options: Partial<StageCommand> = {}) =>
  runStageCommand({
    stage: 'unit-test',
    command: ['sh', '-c', script],
    cwd: sandbox,
    sandbox,
    timeoutSeconds: 30,
    signal: new AbortController().signal,
    ...options,
  });
const log = () => readFileSync(join(sandbox, 'logs/unit-test.log'), 'utf8');
const failureOf = async (promise: Promise<void>) => {
  const error = await promise.catch((error: unknown) => error);
  if (!(error instanceof ApplicationFailure)) throw new Error(`no ApplicationFailure: ${String(error)}`);
  return error;
};
/** True while a process is there and no zombie. */
const lives = (pid: string | undefined) =>
  existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

describe('runStageCommand', () => {
  it('keeps what the command wrote', async () => {
    await run('echo out; echo err >&2');
    expect(log().split('\n').sort()).toEqual(['', '$ sh -c echo out; echo err >&2', 'err', 'out']);
  });

  it('fails with the end of the log', async () => {
    const failure = await failureOf(run('seq 1 500; exit 3'));
    expect([failure.type, failure.nonRetryable, failure.message]).toEqual([
      'BuildFailed',
      true,
      'build stage unit-test ended with exit code 3',
    ]);
    const lines = Array.from({ length: 100 }, (_, index) => String(401 + index));
    expect(failure.details).toEqual([{ stage: 'unit-test', logTail: lines.join('\n') }]);
    expect(log().split('\n')).toHaveLength(502);
  });

  it('says that a program does not exist', async () => {
    const failure = await failureOf(run('', { command: ['no-such-program'] }));
    expect([failure.type, failure.message]).toEqual(['BuildFailed', expect.stringContaining('no-such-program')]);
  });

  it('stops everything that the command started, at its deadline', async () => {
    const failure = await failureOf(
      run('sleep 600 & echo $!; trap "" TERM; sleep 600; sleep 600', { timeoutSeconds: 3 }),
    );
    expect(failure.message).toBe('build stage unit-test did not end within 3 s');
    const child = /^\d+$/m.exec(log())?.[0];
    expect(child).toBeDefined();
    expect(lives(child)).toBe(false);
  });

  it('stops everything when it is cancelled, and says no more than that', async () => {
    const stop = new AbortController();
    const running = expect(run('sleep 600 & echo $!; wait', { signal: stop.signal })).rejects.toThrow('cancelled');
    const child = await until(
      'the child to run',
      () => /^\d+$/m.exec(log())?.[0] ?? Promise.reject(new Error('none')),
      {
        withinMs: 30_000,
      },
    );
    stop.abort(new Error('cancelled'));
    await running;
    expect(lives(child)).toBe(false);
  });

  it('leaves nothing running that a command which succeeded put into the background', async () => {
    await run('sleep 600 > /dev/null 2>&1 & echo $!');
    expect(lives(/^\d+$/m.exec(log())?.[0])).toBe(false);
  });

  it("gives the builder's own Node, a home of the build, and no secret of the builder", async () => {
    process.env['SLIPWAY_SECRET_OF_THE_BUILDER'] = 'secret';
    process.env['HTTPS_PROXY'] = 'http://proxy.example';
    try {
      await run('echo "$PATH|$HOME|$HTTPS_PROXY|$SLIPWAY_SECRET_OF_THE_BUILDER|"');
    } finally {
      delete process.env['SLIPWAY_SECRET_OF_THE_BUILDER'];
      delete process.env['HTTPS_PROXY'];
    }
    const line = log().split('\n')[1] ?? '';
    expect(line.startsWith(`${dirname(process.execPath)}:`)).toBe(true);
    expect(line.endsWith(`|${join(sandbox, 'home')}|http://proxy.example||`)).toBe(true);
  });

  it('marks the command as a part of its Mesos task, so that it ends with a builder that is killed', async () => {
    const marks = { MESOS_CONTAINER_ID: 'c-1', MESOS_DIRECTORY: '/agent/sandbox' };
    Object.assign(process.env, marks);
    try {
      await run('echo "$MESOS_CONTAINER_ID|$MESOS_DIRECTORY"');
    } finally {
      for (const name of Object.keys(marks)) delete process.env[name];
    }
    expect(log().split('\n')[1]).toBe('c-1|/agent/sandbox');
  });
});
