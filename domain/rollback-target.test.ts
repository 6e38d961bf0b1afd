import { describe, expect, it } from '@jest/globals';
import type { LaneState, RevisionRecord } from './lane.ts';
import { rollbackTarget } from './rollback-target.ts';
import type { Veto } from './veto.ts';

const record = (number: number): RevisionRecord => ({
  revision: `r${number}`,
  bundle: {
    id: `b-${number}`,
    service: 'sample',
    version: `${number}.0.0`,
    commit: 'c',
    image: { repository: 'sample', digest: 'sha256:a' },
    testImages: {},
    configVersion: number,
    manifestDigest: 'sha256:d',
  },
  spec: {
    environment: 'prod',
    service: 'sample',
    revision: `r${number}`,
    bundle: `b-${number}`,
    image: 'sample@sha256:a',
    env: {},
    cpus: 0.1,
    memoryMiB: 64,
    healthPath: '/healthz',
    startSeconds: 30,
    instances: 0,
  },
  instances: 2,
});
const veto = (number: number): Veto => ({
  bundle: `b-${number}`,
  version: `${number}.0.0`,
  release: `release/sample/${number}`,
  reason: 'errors',
  at: '2026-01-02T03:04:05.678Z',
});
const EMPTY: LaneState = { environment: 'prod', service: 'sample', lastRevision: 4 };
const LANE: LaneState = {
  ...EMPTY,
  current: record(4),
  previous: record(3),
  earlier: [record(3), record(2), record(1)],
};

describe('a rollback after the end', () => {
  it.each([
    ['goes to the bundle before', LANE, {}, 'b-3'],
    ['goes over what is vetoed', { ...LANE, vetoes: [veto(3)] }, {}, 'b-2'],
    ['goes to the one that is asked for', LANE, { to: 'b-1' }, 'b-1'],
    ['goes from the one that is meant', LANE, { bundle: 'b-4', to: 'b-2' }, 'b-2'],
    ['knows the bundle before of lanes from before they kept more', { ...LANE, earlier: undefined }, {}, 'b-3'],
  ])('%s', (_, lane, wish, target) => {
    expect(rollbackTarget(lane as LaneState, wish)).toMatchObject({ ok: true, target: { bundle: { id: target } } });
  });

  it.each([
    ['nothing serves', EMPTY, {}, 'NothingToRollBackTo', 'nothing of sample serves in prod'],
    [
      'nothing is known',
      { ...EMPTY, current: record(4) },
      {},
      'NothingToRollBackTo',
      'no earlier bundle of sample is known in prod',
    ],
    [
      'all is vetoed',
      { ...LANE, vetoes: [veto(1), veto(2), veto(3)] },
      {},
      'NothingToRollBackTo',
      'no earlier bundle of sample is known in prod that is not vetoed',
    ],
    ['another one serves by now', LANE, { bundle: 'b-3' }, 'PlanOutdated', 'prod serves 4.0.0 by now'],
    ['it serves already', LANE, { to: 'b-4' }, 'NothingToRollBackTo', 'prod serves 4.0.0 (b-4) already'],
    [
      'it is not known',
      LANE,
      { to: 'b-9' },
      'UnknownBundle',
      "prod can't go back to b-9; the bundles it can go back to are: 3.0.0 (b-3), 2.0.0 (b-2), 1.0.0 (b-1)",
    ],
    ['it is vetoed', { ...LANE, vetoes: [veto(2)] }, { to: 'b-2' }, 'Vetoed', '2.0.0 (b-2) was taken back from prod'],
  ])('is refused where %s', (_, lane, wish, type, message) => {
    expect(rollbackTarget(lane, wish)).toMatchObject({ ok: false, type, message: expect.stringContaining(message) });
  });
});
