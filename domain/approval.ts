import { counted } from './counted.ts';
import { FailureType } from './failures.ts';
import type { Step } from './plan.ts';
import type { ApprovalRecord } from './release.ts';

/** Who belongs to each group of people, by its name. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/** People who may do something, and what they are called together. */
export interface Group {
  readonly name: string;
  readonly members: readonly string[];
}

/** What waits to be approved. */
export interface ApprovalRequest {
  /** The step that waits; each has approvals of its own. */
  readonly step: string;
  readonly planDigest: string;
  /** How many different people; the requester does not count. */
  readonly count: number;
  readonly requestedBy: string;
  /** Whose approval counts; absent for anybody's. */
  readonly group?: Group;
  /** ISO 8601: from then on none counts. */
  readonly deadline: string;
}

export interface Refusal {
  readonly type: FailureType;
  readonly message: string;
}

/** A person's approval, as it was asked for. */
export interface Approval {
  readonly by: string;
  readonly planDigest: string;
  /** The step that was looked at; absent for the one that waits. */
  readonly step?: string;
}

/**
 * Why this person's approval does not count now; undefined when it does.
 * An approval is bound to the plan's digest and to one step, single use, and never the requester's own.
 *
 * @param pending what waits; undefined when nothing does
 * @param given approvals that count already
 * @param at ISO 8601
 */
export function refuseApproval(
  pending: ApprovalRequest | undefined,
  given: readonly ApprovalRecord[],
  approval: Approval,
  at: string,
): Refusal | undefined {
  const { by, planDigest, step } = approval;
  if (!pending) return { type: FailureType.NotWaiting, message: 'no approval is waited for now' };
  if (planDigest !== pending.planDigest) {
    return {
      type: FailureType.PlanDigestMismatch,
      message: `the plan that waits is ${pending.planDigest}, not ${planDigest}; look at it again`,
    };
  }
  if (step !== undefined && step !== pending.step) {
    return { type: FailureType.NotWaiting, message: `${pending.step} waits for approval now, not ${step}` };
  }
  if (Date.parse(at) >= Date.parse(pending.deadline)) {
    return { type: FailureType.ApprovalExpired, message: `approvals were waited for until ${pending.deadline}` };
  }
  if (by === pending.requestedBy) {
    return { type: FailureType.SelfApproval, message: `${by} asked for this release and may not approve it` };
  }
  if (pending.group !== undefined && !pending.group.members.includes(by)) {
    return { type: FailureType.NotInGroup, message: `${by} is not in ${pending.group.name}, whose approval is needed` };
  }
  if (approvalsOf(pending.step, given).some((one) => one.by === by)) {
    return { type: FailureType.AlreadyApproved, message: `${by} has approved ${pending.step} already` };
  }
  return undefined;
}

/** Those of the approvals that were given for this step. */
export function approvalsOf(step: string, given: readonly ApprovalRecord[]): readonly ApprovalRecord[] {
  return given.filter((approval) => approval.step === step);
}

/** What an approve step asks for. */
export interface ApprovalRule {
  readonly count: number;
  /** Name of a group; absent for anybody. */
  readonly group?: string;
}

/**
 * Why nobody could ever meet this rule; undefined when enough people could. To be asked when a plan is made, since a
 * release that waits for people who do not exist waits for nothing.
 */
export function refuseRule({ count, group }: ApprovalRule, groups: Groups, requestedBy: string): Refusal | undefined {
  if (group === undefined || count === 0) return undefined;
  const members = membersOf(groups, group);
  if (members === undefined) {
    const known = Object.keys(groups).join(', ') || 'none';
    return impossible(`the group ${group} is not configured; the groups are: ${known}`);
  }
  const others = new Set(members.filter((member) => member !== requestedBy)).size;
  if (others >= count) return undefined;
  const without = members.includes(requestedBy) ? ` without ${requestedBy}, who asked for the release,` : '';
  return impossible(
    `${counted(count, 'approval')} of ${group} ${count === 1 ? 'is' : 'are'} needed, and${without} it has ${counted(others, 'member')}`,
  );
}

/** Every approve step of a plan whose rule nobody could meet, with why. */
export function impossibleApprovals(
  steps: readonly Step[],
  groups: Groups,
  requestedBy: string,
): readonly { readonly step: string; readonly message: string }[] {
  return steps.flatMap((step) => {
    const refusal = step.kind === 'approve' ? refuseRule(step, groups, requestedBy) : undefined;
    return refusal === undefined ? [] : [{ step: step.id, message: refusal.message }];
  });
}

/** The people of a group; undefined when it is not configured. */
function membersOf(groups: Groups, group: string): readonly string[] | undefined {
  return Object.hasOwn(groups, group) ? groups[group] : undefined;
}

/** Who may approve, in words, such as `2 people of release-managers other than ann`. */
export function approversText({ count, group }: ApprovalRule, requestedBy: string): string {
  const people = count === 1 ? 'one person' : `${count} people`;
  return `${people}${group === undefined ? '' : ` of ${group}`} other than ${requestedBy}`;
}

function impossible(message: string): Refusal {
  return { type: FailureType.ApprovalImpossible, message };
}
