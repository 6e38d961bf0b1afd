/** What a user does, from the first look to going back, on the whole platform and through the public doors alone. */
import { afterAll, beforeAll, jest } from '@jest/globals';
import { badCommits } from './chapters/bad-commits.ts';
import { canaryAndBack } from './chapters/canary.ts';
import { firstRelease } from './chapters/first-release.ts';
import { ground } from './chapters/ground.ts';
import { housekeeping } from './chapters/housekeeping.ts';
import { lanesAndWaysBack } from './chapters/lanes.ts';
import { people } from './chapters/people.ts';
import { seldomSaid } from './chapters/seldom-said.ts';
import { openStage, type Stage } from './stage.ts';

jest.setTimeout(600_000);

let opened: Stage | undefined;
const stage = (): Stage => {
  if (opened === undefined) throw new Error('the stage did not open');
  return opened;
};

beforeAll(async () => {
  opened = await openStage();
});
afterAll(async () => {
  await opened?.close();
});

// In this order: each chapter finds what those before it have left.
ground(stage);
badCommits(stage);
firstRelease(stage);
canaryAndBack(stage);
lanesAndWaysBack(stage);
housekeeping(stage);
people(stage);
seldomSaid(stage);
