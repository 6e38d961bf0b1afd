import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, jest } from '@jest/globals';
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

const directory = mkdtempSync(join(tmpdir(), 'golden-health-'));
afterAll(() => rmSync(directory, { recursive: true }));
const [once, go] = [join(directory, 'once'), join(directory, 'go')];
const SERVES = 'mkdir w; cd w; touch ok; (sleep 10; rm ok) & exec python3 -m http.server $PORT0';
// The second task still has the health of the first until its own is known, which was looked at: here it waits for that.
const SECOND_WAITS = `if [ -e ${once} ]; then until [ -e ${go} ]; do sleep 0.05; done; fi; touch ${once}; ${SERVES}`;
playGolden('health-unhealthy-kill', {
  texts: () => ({ [SERVES]: SECOND_WAITS }),
  before: async (index) => {
    if (index === 9) writeFileSync(go, '');
  },
});
playGolden('upgrade-readiness');
