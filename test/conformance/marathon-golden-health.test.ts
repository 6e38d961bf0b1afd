import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';

/** Records of real Marathons whose subject is health and readiness: what they do to tasks and to upgrades. */

jest.setTimeout(60_000);

playGolden('upgrade-health-min0-over0');
playGolden('upgrade-health-min05-over05');
playGolden('upgrade-health-min1-over0');
// The deployment is asked for while some of four are healthy and others not yet: here before any is.
playGolden('v1.9-upgrade-health-min0-over0', {
  stage: { marathon: { minReviveOffersIntervalMs: 3_000 } },
  awaitedUntil: { 2: 5_990 },
});
playGolden('v1.9-upgrade-health-min05-over0');
playGolden('v1.9-upgrade-health-min1-over1');
playGolden('health-unhealthy-kill');
playGolden('upgrade-readiness');
