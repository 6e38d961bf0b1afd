import { FailureType } from './failures.ts';
import type { ApprovalRecord } from './release.ts';

/** What waits to be approved. */
export interface ApprovalRequest {
  readonly planDigest: string;
  /** How many different people; the requester does not count. */
  readonly count: number;
  readonly requestedBy: string;
}

export interface Refusal {
  readonly type: FailureType;
  readonly message: string;
}

/**
 * Why this person's approval does not count now; undefined when it does.
 * An approval is bound to the plan's digest, single use, and never the requester's own.
 *
 * @param pending what waits; undefined when nothing does
 * @param given approvals that count already
 */
export function refuseApproval(
  pending: ApprovalRequest | undefined,
  given: readonly ApprovalRecord[],
  approval: { readonly by: string; readonly planDigest: string },
): Refusal | undefined {
  if (!pending) return { type: FailureType.NotWaiting, message: 'no approval is waited for now' };
  if (approval.planDigest !== pending.planDigest) {
    return {
      type: FailureType.PlanDigestMismatch,
      message: `the plan that waits is ${pending.planDigest}, not ${approval.planDigest}; look at it again`,
    };
  }
  if (approval.by === pending.requestedBy) {
    return { type: FailureType.SelfApproval, message: `${approval.by} asked for this release and may not approve it` };
  }
  if (given.some(({ by }) => by === approval.by)) {
    return { type: FailureType.AlreadyApproved, message: `${approval.by} has approved already` };
  }
  return undefined;
}
