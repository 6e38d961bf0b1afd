import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ProcessSpec, SupervisedProcess } from './process.ts';
import { startTimeOf } from './process-identity.ts';
import { until } from './until.ts';

let directory: string;
let endings: string[];
const started: SupervisedProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-process-'));
  endings = [];
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
  rmSync(directory, { recursive: true });
});

/** A shell script under supervision; ready when it has made the file `ready`. */
function shell(script: string, more: Partial<ProcessSpec> = {}): SupervisedProcess {
  const supervised = new SupervisedProcess(
    {
      name: 'shell',
      command: '/bin/sh',
      args: ['-c', script],
      ready: async () => {
        if (!existsSync(join(directory, 'ready'))) {
          throw new Error('no file yet');
        }
      },
      readyWithinMs: 30_000,
      stopWithinMs: 30_000,
      ...more,
    },
    {
      logs: directory,
      run: directory,
      env: { DIRECTORY: directory },
      assertOpen: () => {},
      onUnexpectedEnd: (_, ending) => endings.push(ending),
    },
  );
  started.push(supervised);
  return supervised;
}

const recordFile = (): string => join(directory, 'shell.json');

describe('SupervisedProcess', () => {
  it('is started when it is ready, with a record of its pid and start time, and leaves none when stopped', async () => {
    const supervised = shell('touch $DIRECTORY/ready; exec sleep 60');
    await supervised.start();
    const { pid } = supervised;
    expect(JSON.parse(readFileSync(recordFile(), 'utf8'))).toEqual({
      name: 'shell',
      pid,
      startTime: startTimeOf(pid ?? 0),
      command: '/bin/sh',
    });
    await supervised.stop();
    expect(startTimeOf(pid ?? 0)).toBeUndefined();
    expect({ pid: supervised.pid, record: existsSync(recordFile()), endings }).toEqual({
      pid: undefined,
      record: false,
      endings: [],
    });
  });

  it('fails with the end of the log when it ends before it is ready', async () => {
    await expect(shell('echo port taken >&2; exit 3').start()).rejects.toThrow(
      /shell ended with code 3 before it was ready.*\nport taken/s,
    );
    expect(existsSync(recordFile())).toBe(false);
  });

  it('fails with what was missing when it is not ready in time, and is stopped', async () => {
    const supervised = shell('exec sleep 60', { readyWithinMs: 50 });
    await expect(supervised.start()).rejects.toThrow('waited 50 ms for shell to be ready: no file yet');
    expect(supervised.pid).toBeUndefined();
  });

  it('fails when it is stopped meanwhile, and that is no news', async () => {
    const supervised = shell('exec sleep 60');
    const starting = expect(supervised.start()).rejects.toThrow('shell was stopped before it was ready');
    await supervised.stop();
    await starting;
    expect(endings).toEqual([]);
  });

  it('fails when the executable is not there', async () => {
    await expect(shell('', { command: '/nonexistent/program' }).start()).rejects.toThrow('did not start: spawn');
  });

  it('takes its children with it, also those that ignore SIGTERM', async () => {
    const supervised = shell(
      `(trap '' TERM; echo $$ > /dev/null; exec sleep 60) & echo $! > $DIRECTORY/child; touch $DIRECTORY/ready; wait`,
    );
    await supervised.start();
    const child = Number(readFileSync(join(directory, 'child'), 'utf8'));
    expect(startTimeOf(child)).toBeDefined();
    await supervised.stop();
    await until('the child to be gone', () => expect(startTimeOf(child)).toBeUndefined(), { withinMs: 30_000 });
  });

  it('is killed when it ignores SIGTERM for too long', async () => {
    const supervised = shell(`trap '' TERM; touch $DIRECTORY/ready; while :; do sleep 0.1; done`, { stopWithinMs: 50 });
    await supervised.start();
    await supervised.stop();
    expect(supervised.pid).toBeUndefined();
  });

  it('tells of an end that nobody asked for, and starts again where it should', async () => {
    const endsWhenTold = 'until [ -e $DIRECTORY/end ]; do sleep 0.05; done; exit 7';
    const script = `if [ -e $DIRECTORY/once ]; then exec sleep 60; fi; touch $DIRECTORY/once; ${endsWhenTold}`;
    const supervised = shell(script, { ready: async () => {}, restartAfterMs: 1 });
    await supervised.start();
    const first = supervised.pid;
    writeFileSync(join(directory, 'end'), '');
    await until('the second run', () => expect(supervised.pid).not.toBe(first), { withinMs: 30_000 });
    await until('it to run', () => expect(supervised.pid).toBeDefined(), { withinMs: 30_000 });
    expect(endings).toEqual(['ended with code 7']);
  });
});
