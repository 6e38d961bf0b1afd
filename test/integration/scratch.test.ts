import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startTimeOf } from '../../local/platform/process-identity.ts';
import { clearScratch, makeScratch } from '../scratch.ts';

jest.setTimeout(180_000);

const LAUNCHER = join(import.meta.dirname, 'scratch-launcher.ts');

describe('the scratch directory of a run of tests', () => {
  let scratch: string;
  let said: string[];
  const clear = () => clearScratch(scratch, (line) => said.push(line));

  beforeEach(() => {
    scratch = makeScratch();
    said = [];
  });
  afterEach(clear);

  it.each(['one', 'one/platform'])('is removed with the platform that a killed launcher left at %s', async (place) => {
    const launcher = spawn(process.execPath, [LAUNCHER, join(scratch, place)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(launcher, 'close');
    const [line]: string[] = await once(createInterface(launcher.stdout), 'line');
    const pid = Number(line);
    launcher.kill('SIGKILL');
    await closed;
    expect(startTimeOf(pid)).toBeDefined();
    await clear();
    expect(startTimeOf(pid)).toBeUndefined();
    expect(said).toEqual(['cleared what a killed launcher left: sleeper']);
    expect(existsSync(scratch)).toBe(false);
  });

  it('is removed without a word where nothing runs in it', async () => {
    await clear();
    expect([said, existsSync(scratch)]).toEqual([[], false]);
  });
});
