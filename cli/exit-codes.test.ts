import { describe, expect, it } from '@jest/globals';
import type { ReleaseView } from '../domain/release.ts';
import { ExitCode, exitCodeOfProblem, exitCodeOfRelease } from './exit-codes.ts';
import { languageOf } from './messages.ts';

const view = (outcome?: ReleaseView['outcome'], failure?: string): ReleaseView => ({
  id: 'release/sample/k1',
  service: 'sample',
  requestedBy: 'ann',
  startedAt: '2026-11-22T10:00:00.000Z',
  steps: [],
  approvals: [],
  verdicts: [],
  rollbacks: [],
  ...(outcome === undefined ? {} : { outcome }),
  ...(failure === undefined ? {} : { failure: { type: failure, message: '' } }),
});

describe('exit codes', () => {
  it.each([
    [view(), 3],
    [view('released'), 0],
    [view('rolled-back', 'CanaryFailed'), 5],
    [view('failed', 'BuildFailed'), 5],
    [view('failed', 'ApprovalExpired'), 6],
    [view('failed', 'LaneBusy'), 7],
    [view('aborted', 'ApprovalRejected'), 6],
    [view('aborted', 'Aborted'), 6],
  ])('of a release %#', (release, code) => {
    expect(exitCodeOfRelease(release)).toBe(code);
  });

  it('count the end that was wanted as success', () => {
    expect(exitCodeOfRelease(view('rolled-back'), 'rolled-back')).toBe(ExitCode.Ok);
    expect(exitCodeOfRelease(view('released'), 'rolled-back')).toBe(ExitCode.Failed);
  });

  it.each([
    [400, 'RequestInvalid', 2],
    [401, 'Unauthenticated', 4],
    [403, 'SelfApproval', 4],
    [404, 'UnknownRelease', 2],
    [409, 'ReleaseOver', 7],
    [422, 'IdempotencyKeyReused', 7],
    [422, 'ManifestInvalid', 2],
    [503, 'SystemUnavailable', 1],
  ] as const)('of an answer with status %i and code %s', (status, code, exitCode) => {
    expect(exitCodeOfProblem({ status, code })).toBe(exitCode);
  });
});

describe('the language of the screens', () => {
  it.each([
    [undefined, {}, 'en'],
    [undefined, { LANG: 'zh_CN.UTF-8' }, 'zh'],
    [undefined, { LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, 'en'],
    ['zh', { LANG: 'en_GB.UTF-8' }, 'zh'],
    ['en', { LANG: 'zh_CN.UTF-8' }, 'en'],
  ] as const)('with --lang %s and %j is %s', (asked, env, language) => {
    expect(languageOf(asked, env)).toBe(language);
  });
});
