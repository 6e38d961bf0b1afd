import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';

/** A record of a real Marathon 1.11.26 whose subject is an app that keeps failing, and the delay that it gets. */

jest.setTimeout(60_000);

// Two fifths of the recorded times. The first offer is late, as it was there.
playGolden('queue-backoff', {
  stage: { mesosDelayMs: 500, marathon: { secondMs: 400, minReviveOffersIntervalMs: 2_000 } },
});
