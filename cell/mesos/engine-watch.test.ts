import { afterEach, describe, expect, it } from '@jest/globals';
import { EngineWatch } from './engine-watch.ts';
import { SILENT } from './log.ts';

const DEADLINE_MS = 100;
const watches: EngineWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
});

/** An engine that answers or not, and what its watch said of it. */
function watched() {
  const engine = { answers: true, pings: 0 };
  const said: string[] = [];
  const watch = new EngineWatch({
    ping: async () => {
      engine.pings += 1;
      if (!engine.answers) throw new Error('nobody there');
    },
    deadlineMs: DEADLINE_MS,
    lost: () => {
      said.push('lost');
    },
    back: async () => {
      said.push('back');
    },
    log: SILENT,
  });
  watches.push(watch);
  const pings = async (count: number) => {
    const until = engine.pings + count;
    while (engine.pings < until) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { engine, said, watch, pings };
}

describe('EngineWatch', () => {
  it('says once that the engine is gone, and once that it is back', async () => {
    const { engine, said, watch, pings } = watched();
    expect(await watch.start()).toBe(true);
    await pings(3);
    expect(said).toEqual([]);
    engine.answers = false;
    while (said.length === 0) await pings(1);
    await pings(8);
    expect(said).toEqual(['lost']);
    engine.answers = true;
    await pings(3);
    expect(said).toEqual(['lost', 'back']);
  });

  it('does not mind an engine that is away for less than the deadline', async () => {
    const { engine, said, watch, pings } = watched();
    await watch.start();
    engine.answers = false;
    await pings(1);
    engine.answers = true;
    await pings(8);
    expect(said).toEqual([]);
  });

  it('does not mind that it was itself too busy to ask for longer than the deadline', async () => {
    const { engine, said, watch, pings } = watched();
    await watch.start();
    engine.answers = false;
    const busyUntil = performance.now() + 2 * DEADLINE_MS;
    while (performance.now() < busyUntil);
    await pings(1);
    engine.answers = true;
    await pings(8);
    expect(said).toEqual([]);
  });

  it('knows at its start that there is none, and says when one comes', async () => {
    const { engine, said, watch, pings } = watched();
    engine.answers = false;
    expect(await watch.start()).toBe(false);
    await pings(8);
    expect(said).toEqual([]);
    engine.answers = true;
    await pings(2);
    expect(said).toEqual(['back']);
  });

  it('asks no more once it is stopped', async () => {
    const { engine, watch } = watched();
    await watch.start();
    watch.stop();
    const { pings } = engine;
    await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
    expect(engine.pings).toBe(pings);
  });
});
