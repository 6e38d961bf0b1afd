import { jest } from '@jest/globals';
import { playScenarios } from './marathon/scenario-play.ts';

jest.setTimeout(60_000);

/**
 * What 1.8 did on profile 1.9. Under its recorder offers came so late that much of it was seen before anything ran.
 * Of its events only those of a creation are comparable: it told of TASK_KILLING, counted tasks of an instance by two,
 * and knew no delay of a crash, none of which 1.9 does; definitions in `api_post_event` have no role.
 */
playScenarios({
  release: '1.8.244',
  profile: '1.9',
  groups: ['/p'],
  held: [
    [25, 27],
    [28, 31],
    [32, 35],
    [43, 45],
    [46, 50],
    [52, 54],
  ],
  // Until after the bad update is rolled back.
  withheld: [17, 21],
  told: [{ app: '/d/web', parts: ['healthy create'], end: 'bad update', without: ['api_post_event'] }],
  unstored: [4, 6],
  // 1.8 gave each its own.
  undone: ['2026-11-22T10:07:20.766Z', '2026-11-22T10:08:11.910Z'],
  delays: false,
});
