/** A lane lives for ever: when its history is long it continues as new, and loses nothing of what it knows. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { adoptUpdate, laneQuery } from '../../workflows/contract.ts';
import { APP, ask, handle, leave, rig, serving, signalsOf, start, startLane, until, wish, world } from './lane-rig.ts';

jest.setTimeout(300_000);

const LONG_HISTORY = 60;
const NEW_RUN_WITHIN_MS = 60_000;

beforeEach(async () => {
  await start({ server: 'dev', longHistory: LONG_HISTORY });
  world.looksEvery = '1s';
});
afterEach(() => rig.stop());

const runId = async () => (await handle.describe()).runId;

/** Tells the lane things that change nothing, until it goes on in another run. */
async function intoNewRun(): Promise<void> {
  const before = await runId();
  const deadline = Date.now() + NEW_RUN_WITHIN_MS;
  while ((await runId()) === before) {
    if (Date.now() > deadline) throw new Error('the lane did not continue as new');
    await leave('nobody');
  }
}

describe('a lane that continues as new', () => {
  it('is held by the same release, and the same one waits', async () => {
    await startLane();
    await ask('a');
    await until(({ holder }) => holder === 'release/sample/a');
    await ask('b');
    const { state } = await until(({ queue }) => queue.length === 1);
    await intoNewRun();
    const next = await handle.query(laneQuery);
    expect(next).toMatchObject({ holder: 'release/sample/a', queue: ['release/sample/b'] });
    expect(next.state).toEqual(state);
    await leave('a', { ...serving, lastRevision: 2 });
    await until(({ holder }) => holder === 'release/sample/b');
    expect(await signalsOf('release/sample/b')).toMatchObject([{ admitted: true, state: { lastRevision: 2 } }]);
  });

  it('still shows what was changed by hand, tells it once, and takes it over', async () => {
    await startLane();
    const app = world.apps.get(APP);
    if (app) app.instances = 5;
    const { drift } = await until((view) => view.drift !== undefined);
    await intoNewRun();
    expect((await handle.query(laneQuery)).drift).toEqual(drift);
    await handle.executeUpdate(adoptUpdate, { args: [{ by: 'ann', reason: 'it was late' }] });
    const { state } = await until((view) => view.drift === undefined);
    expect(state.current?.instances).toBe(5);
    await until(() => world.notices.length >= 2);
    expect(world.notices.map(({ text: { en } }) => en)).toEqual([
      expect.stringContaining('sample in prod was changed by hand'),
      expect.stringContaining('ann adopted 1 change'),
    ]);
  });

  it('drives on a scaling that had not come to its end', async () => {
    await startLane();
    world.fail('scaleRevision', 'unhealthy');
    await wish(4);
    await until(({ state }) => state.current?.instances === 4);
    await intoNewRun();
    expect(world.apps.get(APP)?.instances).toBe(2);
    await wish(4);
    await until(() => world.apps.get(APP)?.instances === 4);
  });
});
