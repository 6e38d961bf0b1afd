import { jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { playGolden } from './marathon/golden-play.ts';

/** A record of a real Marathon 1.11.26: an upgrade to a version that passes its check and then fails it. */

jest.setTimeout(60_000);

const shape = z.object({ app: z.object({ tasksHealthy: z.number(), deployments: z.array(z.unknown()) }) });
/** By then the upgrade was over, and its first instance failed. */
const FIRST_FAILURE = 14_300;

playGolden('upgrade-health-fails-midway', {
  awaitedUntil: { 3: FIRST_FAILURE, 4: FIRST_FAILURE, 5: FIRST_FAILURE, 6: FIRST_FAILURE, 7: FIRST_FAILURE },
  before: async (index, stage) => {
    if (index !== 7) return;
    await until('the first version is back', 20_000, async () => {
      const { app } = shape.parse((await ask(stage.url, { method: 'GET', path: '/v2/apps/ca' })).body);
      return app.tasksHealthy === 3 && app.deployments.length === 0;
    });
  },
});
