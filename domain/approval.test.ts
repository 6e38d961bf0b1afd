import { describe, expect, it } from '@jest/globals';
import {
  type Approval,
  type ApprovalRequest,
  approversText,
  impossibleApprovals,
  refuseApproval,
  refuseRule,
} from './approval.ts';
import type { Step } from './plan.ts';

const AT = '2026-01-01T00:30:00.000Z';
const pending: ApprovalRequest = {
  step: 'approve-prod-2',
  planDigest: 'sha256:a',
  count: 2,
  requestedBy: 'ann',
  group: { name: 'release-managers', members: ['ann', 'bob', 'cat'] },
  deadline: '2026-01-01T01:00:00.000Z',
};
const given = [
  { by: 'cat', step: 'approve-prod-1', planDigest: 'sha256:a', at: '2026-01-01T00:00:00Z' },
  { by: 'bob', step: 'approve-prod-2', planDigest: 'sha256:a', at: '2026-01-01T00:00:00Z' },
];
const { group: _, ...withoutGroup } = pending;

describe('refuseApproval', () => {
  it.each<[string, ApprovalRequest | undefined, Partial<Approval>, string, string | undefined]>([
    ['another person approves', pending, {}, AT, undefined],
    ['the step that waits is named', pending, { step: 'approve-prod-2' }, AT, undefined],
    ['anybody may', withoutGroup, { by: 'dan' }, AT, undefined],
    ['the last moment', pending, {}, '2026-01-01T00:59:59.999Z', undefined],
    ['nothing waits', undefined, {}, AT, 'NotWaiting'],
    ['another plan is named', pending, { planDigest: 'sha256:b' }, AT, 'PlanDigestMismatch'],
    ['a step is named that has been approved', pending, { step: 'approve-prod-1' }, AT, 'NotWaiting'],
    ['it comes too late', pending, {}, '2026-01-01T01:00:00.000Z', 'ApprovalExpired'],
    ['the requester approves', pending, { by: 'ann' }, AT, 'SelfApproval'],
    ['the requester approves where anybody else may', withoutGroup, { by: 'ann' }, AT, 'SelfApproval'],
    ['somebody who is not in the group approves', pending, { by: 'dan' }, AT, 'NotInGroup'],
    ['a person approves twice', pending, { by: 'bob' }, AT, 'AlreadyApproved'],
  ])('%s', (_, request, approval, at, expected) => {
    const refusal = refuseApproval(request, given, { by: 'cat', planDigest: 'sha256:a', ...approval }, at);
    expect(refusal?.type).toBe(expected);
  });
});

describe('a rule that nobody could meet', () => {
  const groups = { 'release-managers': ['ann', 'bob'], twice: ['bob', 'bob'], empty: [] };

  it.each([
    ['anybody may', { count: 5 }, 'ann', undefined],
    ['enough without the requester', { count: 1, group: 'release-managers' }, 'ann', undefined],
    ['enough', { count: 2, group: 'release-managers' }, 'dan', undefined],
    ['none is needed', { count: 0, group: 'empty' }, 'ann', undefined],
    [
      'too few without the requester',
      { count: 2, group: 'release-managers' },
      'ann',
      '2 approvals of release-managers are needed, and without ann, who asked for the release, it has 1 member',
    ],
    ['one person twice', { count: 2, group: 'twice' }, 'ann', '2 approvals of twice are needed, and it has 1 member'],
    ['nobody', { count: 1, group: 'empty' }, 'ann', '1 approval of empty is needed, and it has 0 members'],
    [
      'no such group',
      { count: 1, group: 'other' },
      'ann',
      'the group other is not configured; the groups are: release-managers, twice, empty',
    ],
    [
      'a name that every object has',
      { count: 1, group: 'constructor' },
      'ann',
      'the group constructor is not configured; the groups are: release-managers, twice, empty',
    ],
  ])('%s', (_, rule, requestedBy, message) => {
    const refusal = refuseRule(rule, groups, requestedBy);
    expect(refusal).toEqual(message === undefined ? undefined : { type: 'ApprovalImpossible', message });
  });

  it('is found in every approve step of a plan', () => {
    const approve = (id: string, group: string): Step & { readonly group: string } => ({
      id,
      kind: 'approve',
      environment: 'prod',
      count: 1,
      group,
      expiresSeconds: 60,
    });
    const steps = [
      approve('approve-prod-1', 'empty'),
      approve('approve-prod-2', 'release-managers'),
      approve('approve-prod-3', 'other'),
    ];
    expect(impossibleApprovals(steps, groups, 'ann').map(({ step }) => step)).toEqual([
      'approve-prod-1',
      'approve-prod-3',
    ]);
  });
});

it.each([
  [{ count: 1 }, 'one person other than ann'],
  [{ count: 2, group: 'release-managers' }, '2 people of release-managers other than ann'],
])('says who may approve: %j', (rule, text) => {
  expect(approversText(rule, 'ann')).toBe(text);
});
