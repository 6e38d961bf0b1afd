import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { descendantsOf, isAlive, processesWithEnvironment, signalProcess, startTimeOf } from './process-identity.ts';
import { until } from './until.ts';

const started: number[] = [];

afterEach(() => {
  for (const pid of started.splice(0)) {
    signalProcess(pid, 'SIGKILL');
  }
});

function start(command: string, env: Record<string, string> = {}): number {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'ignore', env: { ...process.env, ...env } });
  if (child.pid === undefined) {
    throw new Error('no shell');
  }
  started.push(child.pid);
  return child.pid;
}

describe('startTimeOf', () => {
  it('tells a process from a later one with the same pid', () => {
    const pid = start('exec sleep 60');
    const startTime = startTimeOf(pid);
    expect(startTime).toMatch(/^[0-9a-f-]{36}:\d+$/);
    expect(isAlive({ pid, startTime: startTime ?? '' })).toBe(true);
    expect(isAlive({ pid, startTime: 'another-boot:1' })).toBe(false);
  });

  it('knows nobody once the process is gone', async () => {
    const child = spawn('/bin/true', { stdio: 'ignore' });
    const { pid } = child;
    await once(child, 'exit');
    expect(startTimeOf(pid ?? 0)).toBeUndefined();
  });
});

describe('processesWithEnvironment', () => {
  it('finds a process by an exact variable', async () => {
    const value = `here-${process.pid}`;
    const pid = start('exec sleep 60', { SLIPWAY_TEST_MARK: value });
    start('exec sleep 60', { SLIPWAY_TEST_MARK: `${value}-not` });
    await until(
      'the shell to be the sleep',
      () => expect(processesWithEnvironment('SLIPWAY_TEST_MARK', value).map((found) => found.pid)).toEqual([pid]),
      { withinMs: 30_000 },
    );
  });
});

describe('descendantsOf', () => {
  it('finds children of children, also in other sessions', async () => {
    const pid = start('setsid sh -c "sleep 60 & wait" & wait');
    const family = await until(
      'the whole family',
      () => {
        const found = descendantsOf([{ pid, startTime: startTimeOf(pid) ?? '' }]);
        if (found.length < 2) {
          throw new Error(`only ${found.length} yet`);
        }
        return found;
      },
      { withinMs: 30_000 },
    );
    started.push(...family.map((member) => member.pid));
    expect(family.every(isAlive)).toBe(true);
    expect(family.map((member) => member.pid)).not.toContain(pid);
  });
});
