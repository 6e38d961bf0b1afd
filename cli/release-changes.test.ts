import { describe, expect, it } from '@jest/globals';
import type { ReleaseView } from '../domain/release.ts';
import { releaseChanges } from './release-changes.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();

const start: ReleaseView = {
  id: 'release/sample/k1',
  service: 'sample',
  requestedBy: 'ann',
  startedAt: at(0),
  version: '5.1.3',
  steps: [
    { id: 'build', kind: 'build', outcome: 'running', startedAt: at(0) },
    { id: 'approve-prod', kind: 'approve', environment: 'prod', outcome: 'waiting' },
  ],
  approvals: [],
  verdicts: [],
  rollbacks: [],
};

const wait = {
  reason: 'approval',
  sentence: 'waiting for approval',
  since: at(34),
  endedBy: 'bob',
  deadline: at(59),
  atDeadline: 'the release ends',
} as const;

const approving: ReleaseView = {
  ...start,
  steps: [
    { id: 'build', kind: 'build', outcome: 'done', startedAt: at(0), endedAt: at(34), detail: 'built' },
    { id: 'approve-prod', kind: 'approve', environment: 'prod', outcome: 'running', startedAt: at(34) },
  ],
  wait,
};

describe('changes of a release', () => {
  it('are all there is at the first look', () => {
    expect(releaseChanges(undefined, start, 'en')).toEqual(['sample 5.1.3, asked for by ann', '▶ build  running']);
  });

  it('are what happened since', () => {
    expect(releaseChanges(start, approving, 'en')).toEqual([
      '✓ build  done  34s  built',
      '▶ approve-prod  running',
      'waiting for approval; ended by bob; until 2026-11-22 10:00:59Z, then the release ends; approve: slipway approve sample/k1',
    ]);
  });

  it('are none when nothing happened', () => {
    expect(releaseChanges(approving, approving, 'en')).toEqual([]);
  });

  it('tell a rollback again when it gets further, and the end once', () => {
    const decided = { environment: 'prod', reason: 'bad', decidedAt: at(40) };
    const first: ReleaseView = { ...start, rollbacks: [decided] };
    const second: ReleaseView = { ...start, rollbacks: [{ ...decided, trafficAt: at(41) }] };
    const { wait: _, ...rest } = approving;
    const last: ReleaseView = {
      ...rest,
      outcome: 'failed',
      failure: { type: 'BuildFailed', message: 'line one\nline two' },
    };
    expect(releaseChanges(start, first, 'en')).toEqual(['rollback in prod: bad']);
    expect(releaseChanges(first, second, 'en')).toEqual(['rollback in prod: bad; traffic back after 1.0s']);
    expect(releaseChanges(approving, last, 'en')).toEqual(['BuildFailed: line one line two', 'sample/k1: failed']);
    expect(releaseChanges(last, last, 'en')).toEqual([]);
  });
});
