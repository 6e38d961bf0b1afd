import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { differences, isSame, judged } from './marathon/differences.ts';
import { AGENTS } from './marathon/golden-play.ts';
import { goldenNamed } from './marathon/golden-record.ts';
import { Replay } from './marathon/replay.ts';
import { type Stage, startStage } from './marathon/stage.ts';

/**
 * A real Marathon 1.11.26 was killed with an app at rest, one that keeps failing and a stuck upgrade, and started again:
 * what survives, and what the upgrade costs. What it told while nobody listened is not in the record, so of its events
 * only those before are compared.
 */

jest.setTimeout(60_000);

const NAME = 'marathon-restart';
const record = goldenNamed(NAME);
/** Until then nothing is waited for that failed: what came while nobody listened was not written down. */
const FAILED = 6_300;
/** Steps by index; what is not among them was asked in the midst of what the next of the kind tells of at its end. */
const [BEGIN, BEFORE, AT_ONCE, LATER] = [
  [0, 1, 2, 3],
  [4, 5, 6, 7, 8, 9],
  [13, 15, 16],
  [18, 19, 20, 21],
];

describe('a Marathon that is started again', () => {
  let stage: Stage;
  let replay: Replay;

  beforeAll(async () => {
    stage = await startStage({ agents: AGENTS, mesosDelayMs: 100, marathon: { profile: '1.11' } });
    // Nothing that failed before the death is waited for.
    replay = await Replay.on(stage, { ...record, events: record.events.filter(({ t, event }) => t < FAILED && event) });
  });

  afterAll(async () => {
    replay?.stop();
    await stage?.stop();
  });

  async function answersAsRecorded(index: number, t?: number): Promise<void> {
    const step = record.steps[index];
    if (!step) throw new Error(`there is no step ${index}`);
    const listed = differences(NAME, index);
    const compared = await replay.play({ ...step, t: t ?? step.t }, { same: (answer) => isSame(answer, listed) });
    const { got, wanted } = judged(compared, listed);
    expect([index, got]).toEqual([index, wanted]);
  }

  it('has come so far when it dies', async () => {
    for (const index of BEGIN) await answersAsRecorded(index);
    await replay.caughtUp(FAILED);
    for (const index of BEFORE) await answersAsRecorded(index, FAILED);
  });

  it('keeps its deployment and the versions of its apps', async () => {
    await stage.restart();
    for (const index of AT_ONCE) await answersAsRecorded(index, 0);
  });

  it('counts what is only scheduled as healthy, and so ends the last running instance of the upgrade', async () => {
    await until('nothing of the app runs any more', 30_000, async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps/r/up/tasks' });
      return body instanceof Object && 'tasks' in body && Array.isArray(body.tasks) && body.tasks.length === 0;
    });
  });

  it('looks at the health of what ran on, and finds it well', async () => {
    await until('both are healthy', 30_000, async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps?id=/r/ok' });
      const [app] = body instanceof Object && 'apps' in body && Array.isArray(body.apps) ? body.apps : [];
      return app.tasksRunning === 2 && app.tasksHealthy === 2 && app.deployments.length === 0;
    });
  });

  it('answers as there when some time has gone by', async () => {
    for (const index of LATER) await answersAsRecorded(index, 0);
  });
});
