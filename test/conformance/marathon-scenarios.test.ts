import { jest } from '@jest/globals';
import { playScenarios } from './marathon/scenario-play.ts';

jest.setTimeout(60_000);

playScenarios({
  release: '1.7.236',
  profile: '1.7',
  groups: ['/go', '/p'],
  held: [[52, 54]],
  told: [
    { app: '/d/web', parts: ['healthy create', 'bad update', 'roll back'], end: 'health lost' },
    { app: '/d/flip', parts: ['health lost'], end: 'command check' },
    { app: '/d/crash', parts: ['crash'], end: 'reset delay' },
  ],
  delays: true,
});
