import type { WhenBusy } from './admission.ts';
import type { Bundle } from './bundle.ts';
import type { DriftView } from './drift-sentences.ts';
import type { FailureType } from './failures.ts';
import type { JudgeInputs } from './judge/inputs.ts';
import type { Verdict } from './judge/verdict.ts';
import type { Plan, StepKind } from './plan.ts';
import type { Wait } from './wait.ts';

/** What starts a release: which service, what of it, and how it shall behave. */
export interface ReleaseRequest {
  readonly service: string;
  readonly source: ReleaseSource;
  /** Who asked: a person or a machine, such as `ann` or `gitlab`. */
  readonly requestedBy: string;
  /** The last environment of the way; absent for the manifest's last one. */
  readonly until?: string;
  /** Version in the config centre; absent for the bundle's, or for the one that is current at the end of the way. */
  readonly configVersion?: number;
  /** What to do when another release holds a lane. */
  readonly whenBusy: WhenBusy;
}

export type ReleaseSource =
  /** Branch, tag or commit of the service's repository. */
  | { readonly kind: 'git'; readonly ref: string }
  /** A bundle that a release has built before; nothing is built again. */
  | { readonly kind: 'bundle'; readonly bundle: Bundle };

/** How a release ended. */
export type ReleaseOutcome = 'released' | 'rolled-back' | 'failed' | 'aborted';

export type StepOutcome = 'waiting' | 'running' | 'done' | 'failed' | 'skipped' | 'undone';

export interface StepRecord {
  readonly id: string;
  readonly kind: StepKind | 'rollback';
  readonly environment?: string;
  outcome: StepOutcome;
  /** ISO 8601. */
  startedAt?: string;
  endedAt?: string;
  /** One plain sentence: what the step saw or did. */
  detail?: string;
}

/** Why a release did not go through. */
export interface ReleaseFailure {
  readonly type: FailureType | string;
  readonly message: string;
  /** Step in which it happened. */
  readonly step?: string;
  /** Such as the end of a build's log, or every error of a manifest with its path. */
  readonly details?: unknown;
}

export interface RollbackRecord {
  readonly environment: string;
  readonly reason: string;
  /** ISO 8601: when it was decided, when all traffic was verified on the old revision, when all was restored. */
  readonly decidedAt: string;
  readonly trafficAt?: string;
  readonly doneAt?: string;
}

export interface ApprovalRecord {
  readonly by: string;
  /** The approve step that it is for. */
  readonly step: string;
  readonly planDigest: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A person's word to a release that runs, other than one that ends it. */
export interface CommandRecord {
  readonly name: 'pause' | 'resume' | 'skipHold' | 'skipAnalysis' | 'retryStep' | 'promoteFully';
  readonly by: string;
  readonly reason: string;
  /** The step, or for `promoteFully` the environment, that it is about. */
  readonly about?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Everything a person may want to know of a release; the answer of the workflow's `release` query and of the API. */
export interface ReleaseView {
  /** Workflow id: `release/<service>/<key>`. */
  readonly id: string;
  readonly service: string;
  readonly requestedBy: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Absent while it runs. */
  readonly outcome?: ReleaseOutcome;
  readonly version?: string;
  readonly commit?: string;
  readonly plan?: Plan;
  readonly bundle?: Bundle;
  readonly steps: readonly StepRecord[];
  readonly wait?: Wait;
  /** What was changed by hand where it is, and holds it up. */
  readonly drift?: DriftView;
  /** The word that paused it; absent while it is not paused. */
  readonly paused?: CommandRecord;
  /** What people said to it while it ran, in order; absent before the first word. */
  readonly commands?: readonly CommandRecord[];
  readonly approvals: readonly ApprovalRecord[];
  readonly verdicts: readonly Verdict[];
  /** What the last verdict rests on, so that it can be judged again. */
  readonly judged?: JudgeInputs;
  readonly rollbacks: readonly RollbackRecord[];
  readonly failure?: ReleaseFailure;
}
