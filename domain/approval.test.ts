import { describe, expect, it } from '@jest/globals';
import { refuseApproval } from './approval.ts';

const pending = { planDigest: 'sha256:a', count: 2, requestedBy: 'ann' };
const given = [{ by: 'bob', planDigest: 'sha256:a', at: '2026-01-01T00:00:00Z' }];

describe('refuseApproval', () => {
  it.each([
    ['nothing waits', undefined, { by: 'cat', planDigest: 'sha256:a' }, 'NotWaiting'],
    ['another plan is named', pending, { by: 'cat', planDigest: 'sha256:b' }, 'PlanDigestMismatch'],
    ['the requester approves', pending, { by: 'ann', planDigest: 'sha256:a' }, 'SelfApproval'],
    ['a person approves twice', pending, { by: 'bob', planDigest: 'sha256:a' }, 'AlreadyApproved'],
    ['another person approves', pending, { by: 'cat', planDigest: 'sha256:a' }, undefined],
  ])('%s', (_, request, approval, expected) => {
    expect(refuseApproval(request, given, approval)?.type).toBe(expected);
  });
});
