import { jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { playGolden } from './marathon/golden-play.ts';

/** A record of a real Marathon 1.11.26 whose subject is an app that keeps failing, and the delay that it gets. */

jest.setTimeout(60_000);

/** Of the recorded times. What is left of a delay is told in seconds: on a busy machine an answer must not come one late. */
const PACE = 0.8;
const MESOS_DELAY_MS = 1_250 * PACE;
/** Longer than what was left of the former version's delay when the recorder changed the app. */
const LATE_OFFERS_MS = 3_750 * PACE;
const CHANGE = 21;
/** From the first DELETE of the delay until the last of what came before the second start. */
const DELAY_ENDED = 13;
const STARTS_AGAIN = 20;

let letMesosGo = () => {};

const shape = z.object({ app: z.object({ tasksStaged: z.number() }) });

// The first offer is late, as it was there; and so is the first after the change, when the former version may start again
// too. Its task was not delivered before it was ended.
playGolden('queue-backoff', {
  stage: {
    mesosDelayMs: MESOS_DELAY_MS,
    marathon: { secondMs: 1_000 * PACE, minReviveOffersIntervalMs: 5_000 * PACE },
    tasks: [{ kind: 'slow', task: '_app\\.6$', delayMs: 60_000 }],
  },
  before: async (index, stage) => {
    const staged = (count: number) => async () => {
      const { body } = await ask(stage.url, { method: 'GET', path: '/v2/apps/bo' });
      return shape.parse(body).app.tasksStaged === count;
    };
    // There the offers that it then asked for came after all this.
    if (index === DELAY_ENDED) letMesosGo = stage.holdMesos();
    if (index === STARTS_AGAIN) letMesosGo();
    if (index === CHANGE) stage.delayMesos(LATE_OFFERS_MS);
    if (index === CHANGE + 1) {
      await until('the former version starts beside the new one', 30_000, staged(2));
      stage.delayMesos(0);
    }
    // An answer that still has the former task would be taken to tell what it is called here.
    if (index === CHANGE + 2) await until('the former version is ended', 30_000, staged(0));
  },
});
