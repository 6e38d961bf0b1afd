import { jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { playGolden } from './marathon/golden-play.ts';

/** A record of a real Marathon 1.11.26 whose subject is an app that keeps failing, and the delay that it gets. */

jest.setTimeout(60_000);

const MESOS_DELAY_MS = 500;
/** Longer than what was left of the former version's delay when the recorder changed the app. */
const LATE_OFFERS_MS = 1_500;
const CHANGE = 21;

const shape = z.object({ app: z.object({ tasksStaged: z.number() }) });

// Two fifths of the recorded times. The first offer is late, as it was there; and so is the first after the change, when
// the former version may start again too. Its task was not delivered before it was ended.
playGolden('queue-backoff', {
  stage: {
    mesosDelayMs: MESOS_DELAY_MS,
    marathon: { secondMs: 400, minReviveOffersIntervalMs: 2_000 },
    tasks: [{ kind: 'slow', task: '_app\\.6$', delayMs: 60_000 }],
  },
  before: async (index, stage) => {
    if (index === CHANGE) stage.delayMesos(LATE_OFFERS_MS);
    if (index !== CHANGE + 1) return;
    await until('the former version starts beside the new one', 10_000, async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps/bo' });
      return shape.parse(body).app.tasksStaged === 2;
    });
    stage.delayMesos(0);
  },
});
