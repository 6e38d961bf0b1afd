import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SetupError } from '../setup-error.ts';
import { Supervisor, Wave } from './supervisor.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slipway-supervisor-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

const open = (): Promise<Supervisor> => Supervisor.open({ dir, log: () => {} });

describe('Supervisor', () => {
  it('holds its directory alone until it stops', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(SetupError);
    await expect(open()).rejects.toThrow(`pid ${process.pid} works on ${dir} already`);
    await first.stop();
    await (await open()).stop();
  });

  it('stops higher waves first, all of them even if one fails, and says which failed', async () => {
    const supervisor = await open();
    const stopped: string[] = [];
    const stoppable = (name: string, error?: Error) => ({
      stop: async () => {
        stopped.push(name);
        if (error !== undefined) {
          throw error;
        }
      },
    });
    supervisor.stopInWave(Wave.engine, stoppable('engine'));
    supervisor.stopInWave(Wave.slipway, stoppable('worker', new Error('worker hangs')));
    supervisor.stopInWave(Wave.systems, stoppable('consul'));
    await expect(supervisor.stop()).rejects.toThrow('worker hangs');
    expect(stopped).toEqual(['worker', 'consul', 'engine']);
    await (await open()).stop();
  });

  it('starts nothing once it stops', async () => {
    const supervisor = await open();
    const late = supervisor.add(Wave.slipway, {
      name: 'late',
      command: '/bin/sleep',
      args: ['60'],
      ready: async () => {},
      readyWithinMs: 1000,
      stopWithinMs: 1000,
    });
    const stopping = supervisor.stop();
    await expect(late.start()).rejects.toThrow('everything is being stopped');
    await stopping;
    expect(late.pid).toBeUndefined();
  });

  it('leaves the signals of the process as they were', async () => {
    const before = process.listenerCount('SIGTERM');
    const supervisor = await open();
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    await supervisor.stop();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
