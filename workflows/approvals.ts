import { ApplicationFailure } from '@temporalio/workflow';
import { type ApprovalRequest, approvalsOf, type Group } from '../domain/approval.ts';
import { FailureType } from '../domain/failures.ts';
import type { Plan } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import type { Controls } from './controls.ts';
import type { Notice } from './notice.ts';
import type { ReleaseDrift } from './release-drift.ts';
import type { ReleaseLanes } from './release-lanes.ts';
import type { ReleaseRecord } from './release-record.ts';
import { waitFor } from './wait.ts';

/** What an approve step waits for. */
export interface ApprovalWait {
  readonly step: string;
  readonly count: number;
  /** Name of the group that the people must be of; absent for anyone. */
  readonly group?: string;
  readonly environment: string;
  /** Who may give it, in words. */
  readonly who: string;
  readonly expiresSeconds: number;
}

/** What approvals need of the release that they are for. */
interface ApprovedRelease {
  /** Its workflow id. */
  readonly id: string;
  readonly requestedBy: string;
  readonly plan: Plan | undefined;
  readonly groups: readonly Group[];
  readonly record: ReleaseRecord;
  readonly controls: Pick<Controls, 'isSkipped'>;
  readonly drift: Pick<ReleaseDrift, 'beside'>;
  readonly lanes: Pick<ReleaseLanes, 'stage'>;
  /** Tells chat, and does not wait for it. */
  tell(notice: Notice): void;
}

/** The approvals of a release: which one it waits for now, and until when. */
export class Approvals {
  /** What waits to be approved now. */
  pending: ApprovalRequest | undefined;
  /** Said to whoever approves when nobody did in time. */
  expired: string | undefined;
  private readonly release: ApprovedRelease;

  constructor(release: ApprovedRelease) {
    this.release = release;
  }

  /** Waits until enough people have approved the plan. @throws ApplicationFailure `ApprovalExpired` */
  async wait(asked: ApprovalWait): Promise<void> {
    const { step, count, group: name, environment, who, expiresSeconds } = asked;
    const { controls, drift, groups, id, lanes, plan, record, requestedBy } = this.release;
    const stage = lanes.stage(environment);
    if (!plan) throw new Error('the release has no plan yet');
    const deadline = new Date(Date.now() + expiresSeconds * 1000).toISOString();
    const group = groups.find((each) => each.name === name);
    this.pending = {
      ...{ step, planDigest: plan.digest, count, requestedBy, deadline },
      ...(group === undefined ? {} : { group }),
    };
    const what = `${plan.service} ${plan.version}`;
    const command = `approve ${id} ${plan.digest}`;
    const text = {
      en: `${what} waits for approval to go to ${environment}: ${command}`,
      zh: `${what} 等待批准发布到 ${environment}：${command}`,
    };
    this.release.tell({ kind: 'approval', release: id, text });
    try {
      const shown = {
        reason: WaitReason.Approval,
        sentence: `waiting for approval to go to ${environment}`,
        endedBy: `an approval by ${who}`,
        seconds: expiresSeconds,
        atDeadline: stage?.touched ? 'the release goes back' : 'the release ends as failed',
      };
      const isEnough = () => approvalsOf(step, record.approvals).length >= count || controls.isSkipped(step);
      const waiting = () => waitFor(record, shown, isEnough);
      if (await (stage ? drift.beside(stage, expiresSeconds, waiting) : waiting())) return;
      this.expired = `approvals were waited for until ${deadline}`;
      throw ApplicationFailure.nonRetryable(`nobody approved in ${expiresSeconds} s`, FailureType.ApprovalExpired);
    } finally {
      this.pending = undefined;
    }
  }
}
