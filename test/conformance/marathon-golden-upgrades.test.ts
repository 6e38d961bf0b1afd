import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';

/** Rolling upgrades without health checks, as a real Marathon 1.11.26 did them. */

jest.setTimeout(60_000);

playGolden('upgrade-min0-over0');
playGolden('upgrade-min0-over1');
playGolden('upgrade-min05-over05');
playGolden('upgrade-min05-over1');
playGolden('upgrade-min1-over0');
playGolden('upgrade-min1-over05');
playGolden('upgrade-with-scale');
// Kills take effect at once, but no launch does: as there, offers are asked for again after seconds only.
playGolden('upgrade-restart', { stage: { mesosDelayMs: 0, marathon: { minReviveOffersIntervalMs: 3_000 } } });
