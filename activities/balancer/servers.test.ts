import { describe, expect, it } from '@jest/globals';
import type { ServerState } from './runtime-answers.ts';
import { serversUp, trafficServers, weightChanges } from './servers.ts';

const state = (backend: string, name: string, more: Partial<ServerState> = {}): ServerState => ({
  backend,
  name,
  running: true,
  withdrawn: false,
  checkPassed: true,
  weight: 1,
  ...more,
});

const NEVER_CHECKED = { checkPassed: false };

describe('trafficServers', () => {
  it.each<[string, Partial<ServerState>, Partial<ServerState> | undefined, string]>([
    ['checked by its own backend of checks', NEVER_CHECKED, {}, 'up'],
    ['before its first check', NEVER_CHECKED, NEVER_CHECKED, 'unchecked'],
    ['without a server that checks it', {}, undefined, 'unchecked'],
    ['after failed checks', { running: false }, { running: false, checkPassed: false }, 'down'],
    ['taken out by an operator', { withdrawn: true }, {}, 'maintenance'],
  ])('knows one %s', (_name, traffic, health, status) => {
    const states = [
      state('prod.web', 'r2.t', { weight: 7, ...traffic }),
      ...(health === undefined ? [] : [state('health.prod.web.r2', 'r2.t', health)]),
      state('prod.shop', 'r2.t'),
      state('health.prod.web.r1', 'r2.t', { running: false }),
    ];
    const counters = [
      { backend: 'prod.web', name: 'r2.t', up: true, sessions: 3, answers: 0, errors5xx: 0, errorsConnection: 0 },
    ];
    expect(trafficServers('b', 'prod', 'web', states, counters)).toEqual([
      { balancer: 'b', revision: 'r2', name: 'r2.t', status, weight: 7, sessions: 3 },
    ]);
  });

  it('counts those that are up', () => {
    const states = ['r1.a', 'r1.b', 'r2.c'].flatMap((name) => [
      state('prod.web', name),
      state(`health.prod.web.${name.slice(0, 2)}`, name, { checkPassed: name !== 'r1.b' }),
    ]);
    expect(serversUp(trafficServers('b', 'prod', 'web', states, []))).toEqual({ r1: 1, r2: 1 });
    expect(serversUp([])).toEqual({});
  });
});

describe('weightChanges', () => {
  it('names only what differs, rises first', () => {
    const states = [
      state('prod.web', 'r1.a', { weight: 256 }),
      state('prod.web', 'r1.b', { weight: 10 }),
      state('prod.web', 'r2.c', { weight: 0 }),
      state('prod.web', 'r0.d', { weight: 5 }),
      state('prod.shop', 'r1.a', { weight: 0 }),
      state('health.prod.web.r1', 'r1.a', { weight: 1 }),
    ];
    expect(weightChanges('prod.web', { r1: 10, r2: 20 }, states)).toEqual([
      { backend: 'prod.web', server: 'r2.c', weight: 20 },
      { backend: 'prod.web', server: 'r1.a', weight: 10 },
      { backend: 'prod.web', server: 'r0.d', weight: 0 },
    ]);
  });
});
