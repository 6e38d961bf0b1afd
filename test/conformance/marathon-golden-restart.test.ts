import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
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

const record = goldenNamed('marathon-restart');
const death = record.steps.findIndex(({ note }) => note === 'killed');
const before = record.steps.slice(0, death).filter(({ request }) => request);
/** The app that keeps failing is somewhere else every moment: how often it failed is no matter of the restart. */
const AFTER = [13, 16, 19];

describe('a Marathon that is started again', () => {
  let stage: Stage;
  let replay: Replay;

  beforeAll(async () => {
    stage = await startStage({ agents: AGENTS, mesosDelayMs: 100, marathon: { profile: '1.11' } });
    // Nothing that failed before the death is waited for.
    replay = await Replay.on(stage, { ...record, events: record.events.filter(({ t, event }) => t < 6_300 && event) });
  });

  afterAll(async () => {
    replay?.stop();
    await stage?.stop();
  });

  it('has come so far when it dies', async () => {
    for (const step of before.slice(0, 4)) {
      const { got, wanted } = await replay.play(step);
      expect(got).toEqual(wanted);
    }
    await replay.caughtUp(6_300);
    const [deployments] = before.filter(({ request }) => request?.path === '/v2/deployments');
    if (!deployments) throw new Error('the record has no deployments');
    const { got, wanted } = await replay.play({ ...deployments, t: 6_300 });
    expect(got).toEqual(wanted);
  });

  it('keeps its deployment and the versions of its apps', async () => {
    await stage.restart();
    for (const index of AFTER) {
      const step = record.steps[index];
      if (!step) throw new Error(`there is no step ${index}`);
      const { got, wanted } = await replay.play({ ...step, t: 0 });
      expect([index, got]).toEqual([index, wanted]);
    }
  });

  it('counts what is only scheduled as healthy, and so ends the last running instance of the upgrade', async () => {
    await until('nothing of the app runs any more', 10_000, async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps/r/up/tasks' });
      return body instanceof Object && 'tasks' in body && Array.isArray(body.tasks) && body.tasks.length === 0;
    });
  });

  it('looks at the health of what ran on, and finds it well', async () => {
    await until('both are healthy', 10_000, async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps?id=/r/ok' });
      const [app] = body instanceof Object && 'apps' in body && Array.isArray(body.apps) ? body.apps : [];
      return app.tasksRunning === 2 && app.tasksHealthy === 2 && app.deployments.length === 0;
    });
  });
});
