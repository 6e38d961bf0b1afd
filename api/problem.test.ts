import { describe, expect, it } from '@jest/globals';
import {
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  NamespaceNotFoundError,
  RetryState,
  TimeoutFailure,
  TimeoutType,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';
import { HttpFailure, problemSchema } from '../domain/schemas/api.ts';
import { asProblem, Problem, preferredLanguage, problemDocument } from './problem.ts';
import { PROBLEM_KINDS } from './problem-titles.ts';

const grpc = (code: number, details: string) => {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('call failed', { cause });
};

const activity = (cause: Error) =>
  new ActivityFailure('activity failed', 'readManifest', 'a1', RetryState.NON_RETRYABLE_FAILURE, 'worker', cause);

describe('problems', () => {
  it('have a status and titles for every failure there is', () => {
    for (const code of [...Object.values(FailureType), ...Object.values(HttpFailure)]) {
      expect(PROBLEM_KINDS[code].status).toBeGreaterThanOrEqual(400);
      expect(PROBLEM_KINDS[code].title.zh).toMatch(/\p{Script=Han}/u);
    }
    expect(Object.keys(PROBLEM_KINDS).sort()).toEqual(
      [...Object.values(FailureType), ...Object.values(HttpFailure)].sort(),
    );
  });

  it.each([
    [
      'a refused update',
      new WorkflowUpdateFailedError('', ApplicationFailure.nonRetryable('no', 'SelfApproval')),
      'SelfApproval',
      403,
    ],
    [
      'a failed activity of a workflow',
      new WorkflowFailedError(
        '',
        activity(ApplicationFailure.nonRetryable('no commit', 'UnknownCommit')),
        RetryState.NON_RETRYABLE_FAILURE,
      ),
      'UnknownCommit',
      422,
    ],
    [
      'an update whose release ended first',
      new WorkflowUpdateFailedError('', ApplicationFailure.nonRetryable('', 'AcceptedUpdateCompletedWorkflow')),
      'ReleaseOver',
      409,
    ],
    [
      'a timed out workflow',
      new WorkflowFailedError(
        '',
        new TimeoutFailure('late', undefined, TimeoutType.START_TO_CLOSE),
        RetryState.TIMEOUT,
      ),
      'DeadlineExceeded',
      504,
    ],
    ['an update that nobody answered', new WorkflowUpdateRPCTimeoutOrCancelledError('late'), 'DeadlineExceeded', 504],
    ['no such workflow', new WorkflowNotFoundError('none', 'release/a/b', undefined), 'UnknownRelease', 404],
    ['no such namespace', new NamespaceNotFoundError('nowhere'), 'SystemRefused', 502],
    ['Temporal away', grpc(14, 'connection refused'), 'SystemUnavailable', 503],
    ['no worker', grpc(4, 'deadline exceeded'), 'SystemUnavailable', 503],
    ['no worker by the clock of the server', grpc(1, 'Call cancelled'), 'SystemUnavailable', 503],
    ['no poller', grpc(9, 'no poller seen'), 'SystemUnavailable', 503],
    ['a refused call', grpc(3, 'bad search attribute'), 'SystemRefused', 502],
    [
      'a failure type of somebody else',
      new WorkflowUpdateFailedError('', ApplicationFailure.nonRetryable('?', 'Odd')),
      'Internal',
      500,
    ],
    ['a bug', new TypeError('x is not a function'), 'Internal', 500],
  ])('%s', (_name, error, code, status) => {
    const problem = asProblem(error);
    expect(problem.code).toBe(code);
    expect(problem.status).toBe(status);
    expect(problem.cause).toBeDefined();
  });

  it('carry every error of what was sent', () => {
    const errors = [{ path: 'run.cpus', message: 'write a number' }];
    const failed = ApplicationFailure.nonRetryable('bad', 'ManifestInvalid', errors);
    expect(asProblem(new WorkflowFailedError('', failed, RetryState.NON_RETRYABLE_FAILURE)).errors).toEqual(errors);
  });

  it('tell nothing of a bug to the outside', () => {
    const problem = asProblem(new Error('password is hunter2'));
    const document = problemDocument(problem, { path: '/v1/x', id: 'r1', language: 'en' });
    expect(problemSchema.parse(document)).toEqual(document);
    expect(JSON.stringify(document)).not.toContain('hunter2');
  });

  it('stay what they are', () => {
    const problem = new Problem('LaneBusy', 'held');
    expect(asProblem(problem)).toBe(problem);
  });
});

describe('the preferred language', () => {
  it.each([
    [undefined, 'en'],
    ['zh', 'zh'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    ['en;q=0.3, zh;q=0.9', 'zh'],
    ['en-GB,zh;q=0.9', 'en'],
    ['fr, zh;q=0.1', 'zh'],
    ['zh;q=0, fr', 'en'],
    ['de', 'en'],
  ])('of %s is %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });
});
