import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { offer, withhold } from './marathon/agent-offers.ts';
import { ask } from './marathon/asking.ts';
import { AGENTS, playGolden } from './marathon/golden-play.ts';
import type { Stage } from './marathon/stage.ts';

/**
 * A record of a real Marathon 1.11.26: an upgrade to a version that passes its check, then fails it, is killed for it
 * and started again, three times. There each task spoilt itself after five seconds; here all of one round are spoilt
 * at once, right after a round of checks, so that they fail the same number of times.
 */

// Three rounds of starts and failures come before one of its steps.
jest.setTimeout(120_000);

const INSTANCES = 3;
/** Of the step that looks at them when each has failed its third round once, and of those that follow. */
const [LOOK, BACK, LAST] = [3, 5, 7];

const shape = z.object({
  app: z.object({
    deployments: z.array(z.unknown()),
    tasks: z.array(
      z.object({ id: z.string(), healthCheckResults: z.array(z.looseObject({ alive: z.boolean() })).optional() }),
    ),
  }),
});

let folder = '';

/** Waits until every task is of so many starts of its instance, healthy or not, and no deployment is under way. */
async function all(stage: Stage, round: number, alive: boolean): Promise<void> {
  await until(`${INSTANCES} of round ${round} are ${alive ? 'healthy' : 'not healthy'}`, 30_000, async () => {
    const { app } = shape.parse((await ask(stage.url, { method: 'GET', path: '/v2/apps/ca' })).body);
    const fit = app.tasks.filter(
      ({ id, healthCheckResults: [result] = [] }) => id.endsWith(`._app.${round}`) && result?.alive === alive,
    );
    return app.tasks.length === INSTANCES && fit.length === INSTANCES && app.deployments.length === 0;
  });
}

const served = (round: number) => join(folder, `served-${round}`);

playGolden('upgrade-health-fails-midway', {
  // Long enough for the answers between the first failure of a round and the third, which is the last.
  stage: { marathon: { secondMs: 2_000 } },
  prepare: async () => {
    folder = mkdtempSync(join(tmpdir(), 'marathon-midway-'));
    for (const round of [1, 2, 3]) writeFileSync(served(round), '');
    return { stage: {}, stop: async () => rmSync(folder, { recursive: true }) };
  },
  // A task's id ends with how often its instance was started.
  texts: () => ({
    'touch ok; (sleep 5; rm ok)': `ln -s ${folder}/served-\${MESOS_TASK_ID##*.} ok; true`,
  }),
  before: async (index, stage) => {
    if (index === LOOK) {
      for (const round of [1, 2, 3]) {
        await all(stage, round, true);
        rmSync(served(round));
      }
      await all(stage, 3, false);
    }
    // As there, nothing is offered until all of the failed version are gone.
    if (index === BACK) for (const { name } of AGENTS) await withhold(stage, name);
    if (index === LAST) {
      await until('all that failed are gone', 30_000, async () => {
        const { app } = shape.parse((await ask(stage.url, { method: 'GET', path: '/v2/apps/ca' })).body);
        return app.tasks.length === 0;
      });
      for (const { name } of AGENTS) await offer(stage, name);
      await all(stage, 1, true);
    }
  },
});
