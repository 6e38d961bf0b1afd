/**
 * Names, ids and types of everything that crosses a workflow's border: what the API, the CLI, the workers and other
 * workflows may call. Nothing here runs, so it is safe to import from anywhere.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Asking } from '../domain/admission.ts';
import type { ImageReference } from '../domain/bundle.ts';
import type { CommandName } from '../domain/controls.ts';
import type { Difference } from '../domain/drift.ts';
import type { DriftView } from '../domain/drift-sentences.ts';
import type { FailureType } from '../domain/failures.ts';
import type { Freeze, FreezeList, FreezeScope } from '../domain/freeze.ts';
import type { LaneState } from '../domain/lane.ts';
import type { FreezeEntry } from '../domain/ledger.ts';
import type { BuildSpec, TestSpec } from '../domain/manifest.ts';
import type { ApprovalRecord, CommandRecord, ReleaseOutcome, ReleaseRequest, ReleaseView } from '../domain/release.ts';
import type { Veto } from '../domain/veto.ts';
import type { Wait } from '../domain/wait.ts';

/** Task queue of all workflows and of the central activities. */
export const TASK_QUEUE = 'slipway';

/** Task queue of the node worker on one machine. */
export const hostTaskQueue = (host: string): string => `host.${host}`;

/** Task queue of one builder. */
export const buildTaskQueue = (builder: string): string => `build.${builder}`;

/** Workflow types, as the functions in `workflows/index.ts` are named. */
export const WorkflowType = {
  Release: 'release',
  Rollback: 'rollback',
  Lane: 'lane',
  Build: 'build',
  Autoscale: 'autoscale',
  CollectGarbage: 'collectGarbage',
  KeepWritable: 'keepWritable',
  PlanRelease: 'planRelease',
  VerifyAudit: 'verifyAudit',
  Rejudge: 'rejudge',
  Freezes: 'freezes',
} as const;

/** `release/<service>/<key>`: the same idempotency key is the same release. */
export const releaseWorkflowId = (service: string, key: string): string => `release/${service}/${key}`;

/** `lane/<environment>/<service>`: the id is the lock. */
export const laneWorkflowId = (environment: string, service: string): string => `lane/${environment}/${service}`;

/** `build/<service>/<key>`: the build of the release with that key. */
export const buildWorkflowId = (service: string, key: string): string => `build/${service}/${key}`;

/** The one workflow that keeps all freezes. */
export const FREEZES_WORKFLOW_ID = 'freezes';

/** Ids of the schedules, created by the orchestrator. */
export const ScheduleId = { Autoscale: 'autoscale', CollectGarbage: 'collect-garbage' } as const;

/** Search attributes of every workflow; registered in the namespace as Keyword. */
export const SearchAttribute = {
  Service: defineSearchAttributeKey('SlipwayService', 'KEYWORD'),
  Environment: defineSearchAttributeKey('SlipwayEnvironment', 'KEYWORD'),
  Stage: defineSearchAttributeKey('SlipwayStage', 'KEYWORD'),
  Revision: defineSearchAttributeKey('SlipwayRevision', 'KEYWORD'),
  Outcome: defineSearchAttributeKey('SlipwayOutcome', 'KEYWORD'),
} as const;

/** Argument of the `release` workflow. */
export interface ReleaseInput {
  readonly key: string;
  readonly request: ReleaseRequest;
}

/** Argument of the `rollback` workflow, which goes back after a release has ended. Its id is a release's id. */
export interface RollbackInput {
  readonly key: string;
  readonly service: string;
  readonly environment: string;
  readonly requestedBy: string;
  readonly reason: string;
  /** Id of the bundle to go away from; refused when another one serves. Absent for whatever serves. */
  readonly bundle?: string;
  /** Id of the bundle to go back to; absent for the newest that is not vetoed. */
  readonly to?: string;
}

/** Result of the `release` and `rollback` workflows; a business failure is a result, not a failed workflow. */
export interface ReleaseResult {
  readonly outcome: ReleaseOutcome;
  readonly view: ReleaseView;
}

export interface ApproveInput {
  readonly by: string;
  /** Digest of the plan that the person saw; another one is refused. */
  readonly planDigest: string;
  /** The approve step that the person saw; absent for the one that waits. */
  readonly step?: string;
}

export interface CommandInput {
  readonly by: string;
  readonly reason: string;
}

/** A person's word to a release under way, besides one that ends it. */
export interface ControlInput extends CommandInput {
  /** The step that the person saw; absent for the one under way. */
  readonly step?: string;
  /** Digest of the plan that the person saw; another one is refused. Absent for whatever plan it is. */
  readonly planDigest?: string;
}

export interface ControlAnswer {
  /** The word, as it is recorded. */
  readonly command: CommandRecord;
  /** How many more people must say so; 0 when it has taken effect. */
  readonly missing: number;
}

/** State of a release. */
export const releaseQuery = defineQuery<ReleaseView>('release');
/** Approves the plan that waits. Use the click or message id as update id, so that ten clicks count once. */
export const approveUpdate = defineUpdate<ApprovalRecord, [ApproveInput]>('approve');
/** Refuses the plan that waits: the release is undone and ends as aborted. */
export const rejectUpdate = defineUpdate<void, [CommandInput]>('reject');
/** Stops the release: what it changed is undone, the release ends as aborted. Needs no approval. */
export const abortUpdate = defineUpdate<void, [CommandInput]>('abort');
/** Goes back to the revision before, at any step; the release ends as rolled-back. Needs no approval. */
export const rollbackUpdate = defineUpdate<void, [CommandInput]>('rollback');

/** Takes over what was changed by hand: from then on it is how it shall be. Of a lane, and of a release that holds it. */
export const adoptUpdate = defineUpdate<void, [CommandInput]>('adopt');
/** Puts back what was changed by hand. Of a lane, and of a release that holds it. */
export const revertUpdate = defineUpdate<void, [CommandInput]>('revert');
/** What people say to a release under way besides what ends it, each by its name. */
export const controlUpdates = {
  /** Begins no further effect until it is resumed; what runs ends, and a way back goes on. After a day it goes back. */
  pause: defineUpdate<ControlAnswer, [ControlInput]>('pause'),
  resume: defineUpdate<ControlAnswer, [ControlInput]>('resume'),
  /** Ends the hold, or the bake, that is under way. */
  skipHold: defineUpdate<ControlAnswer, [ControlInput]>('skipHold'),
  /** Ends the judge step under way without a verdict, when two people other than the requester have said so. */
  skipAnalysis: defineUpdate<ControlAnswer, [ControlInput]>('skipAnalysis'),
  /** Tries a step again that failed and waits for that. What it had completed is not done again. */
  retryStep: defineUpdate<ControlAnswer, [ControlInput]>('retryStep'),
  /**
   * Skips the holds, judges and approvals that are left in this environment, not the bake. Needs two people other than
   * the requester where a judge is skipped, and as many of its group as an approval that is skipped.
   */
  promoteFully: defineUpdate<ControlAnswer, [ControlInput]>('promoteFully'),
} as const satisfies Record<CommandName, unknown>;

/** What a release asks of a lane. The lane answers with the `admitted` signal. */
export interface AdmissionRequest extends Asking {
  readonly service: string;
  readonly environment: string;
}

/** The lane's answer. Once admitted, the lane is the release's until it sends `leave`. */
export type Admission =
  | { readonly environment: string; readonly admitted: true; readonly state: LaneState }
  /** Never will be: it asked not to wait, or another release has taken its place. */
  | {
      readonly environment: string;
      readonly admitted: false;
      readonly type: FailureType;
      /** One plain sentence. */
      readonly because: string;
    }
  /** Not yet, and not because of another release. */
  | { readonly environment: string; readonly admitted: 'later'; readonly because: string; readonly endedBy: string };

/** Another release has taken the place of one that holds the lane or waits for it. */
export interface Supersession {
  readonly environment: string;
  /** Workflow id of the one that comes instead. */
  readonly by: string;
}

/** A release gives the lane back, or leaves its queue. */
export interface LeaveRequest {
  readonly holder: string;
  /** What it left behind; absent when it never held the lane. */
  readonly state?: LaneState;
  /** It went back from this bundle, which may not come again. */
  readonly veto?: Veto;
}

export interface LiftVetoInput extends CommandInput {
  /** Id of the bundle. */
  readonly bundle: string;
}

/** Argument of the `lane` workflow. */
export interface LaneInput {
  readonly environment: string;
  readonly service: string;
  /** Absent on the first run. */
  readonly carried?: LaneCarried;
}

/** What a lane carries over continue-as-new. */
export interface LaneCarried {
  readonly state: LaneState;
  readonly holder?: string;
  readonly queue: readonly AdmissionRequest[];
  readonly wishes: readonly ScaleWish[];
  /** The last scaling has not come to its end. */
  readonly unreached?: boolean;
  /** A hand-made change that nobody has adopted or reverted yet. */
  readonly drift?: OpenDrift;
}

/** A hand-made change that is open. */
export interface OpenDrift {
  /** ISO 8601. */
  readonly since: string;
  readonly found: readonly Difference[];
}

/** A number of instances that the load asked for at some time. */
export interface ScaleWish {
  readonly instances: number;
  /** ISO 8601. */
  readonly at: string;
}

/** What autoscaling tells a lane. */
export interface ScaleSignal {
  readonly wish: ScaleWish;
  /** One plain sentence with the figures it rests on. */
  readonly because: string;
}

export interface LaneView {
  readonly state: LaneState;
  readonly holder?: string;
  readonly queue: readonly string[];
  readonly wait?: Wait;
  readonly drift?: DriftView;
}

export const laneQuery = defineQuery<LaneView>('lane');
/** A release asks to be admitted. Asked again by the same release it changes nothing. */
export const admitSignal = defineSignal<[AdmissionRequest]>('admit');
/** The lane's answer, sent to the release. */
export const admittedSignal = defineSignal<[Admission]>('admitted');
/** The lane tells its holder that another release wants its place: one that has changed nothing yet ends. */
export const supersededSignal = defineSignal<[Supersession]>('superseded');
/** The release gives the lane back, or leaves its queue. */
export const leaveSignal = defineSignal<[LeaveRequest]>('leave');
/** Lets a bundle that was rolled back come again. Refused as `UnknownVeto` where there is none. Answers what was lifted. */
export const liftVetoUpdate = defineUpdate<Veto, [LiftVetoInput]>('liftVeto');
/** Autoscaling tells what the load asks for. */
export const scaleSignal = defineSignal<[ScaleSignal]>('scale');

/** Argument of the `build` workflow, a child of the release. */
export interface BuildInput {
  readonly service: string;
  readonly key: string;
  readonly commit: string;
  readonly version: string;
  readonly build: BuildSpec;
  readonly tests: readonly TestSpec[];
}

/** Result of the `build` workflow. */
export interface BuildResult {
  readonly image: ImageReference;
  /** Image of each test container, by its name in the manifest. */
  readonly testImages: Readonly<Record<string, ImageReference>>;
  readonly builder: string;
  readonly agent: string;
  /** Time of each pipeline stage, seconds. */
  readonly stages: readonly { readonly stage: string; readonly seconds: number }[];
}

/** Argument of the `autoscale` workflow. */
export interface AutoscaleInput {
  /** Length of the window over which load is averaged, seconds. */
  readonly windowSeconds: number;
}

/** Argument of the `collectGarbage` workflow. */
export interface CollectGarbageInput {
  /** Repositories to look at; empty for all configured services. */
  readonly services: readonly string[];
  /** Plans and reports, deletes nothing. */
  readonly dryRun: boolean;
}

/** Argument of the `keepWritable` workflow, a child of a collection that outlives it. */
export interface KeepWritableInput {
  /** Machine whose node worker maintains the registry. */
  readonly host: string;
  /** Workflow id of the collection. */
  readonly collection: string;
}

/** The collection tells that the registry may take pushes again. */
export const collectedSignal = defineSignal('collected');

/** Argument of the `freezes` workflow. */
export interface FreezesInput {
  /** Absent on the first run. */
  readonly carried?: FreezesCarried;
}

/** What the freezes carry over continue-as-new. */
export interface FreezesCarried {
  readonly list: FreezeList;
  /** The list that the watchers have been told. */
  readonly announced: number;
  readonly watchers: readonly FreezeWatcher[];
  /** Those of them that have asked what is frozen and were not told yet. */
  readonly asking: readonly FreezeWatcher[];
  /** What the ledger has not been told yet. */
  readonly untold: readonly FreezeEntry[];
}

/** A release that is told of every freeze that may be about its service. */
export interface FreezeWatcher {
  /** Its workflow id. */
  readonly holder: string;
  readonly service: string;
}

export interface FreezeInput {
  readonly scope: FreezeScope;
  readonly by: string;
  readonly reason: string;
  /** ISO 8601; absent until somebody lifts it. */
  readonly until?: string;
}

export interface UnfreezeInput {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export interface FreezesView {
  readonly freezes: readonly Freeze[];
  /** How many releases watch them. */
  readonly watchers: number;
  readonly wait?: Wait;
}

export const freezesQuery = defineQuery<FreezesView>('freezes');
/** Stops forward moves in the scope. Every release under way is told at once. */
export const freezeUpdate = defineUpdate<Freeze, [FreezeInput]>('freeze');
/** Lifts a freeze. @throws ApplicationFailure `UnknownFreeze` */
export const unfreezeUpdate = defineUpdate<Freeze, [UnfreezeInput]>('unfreeze');
/** A release asks what is frozen, and wants to be told of every change until it says otherwise. */
export const watchFreezesSignal = defineSignal<[FreezeWatcher]>('watchFreezes');
/** A release, by its workflow id, needs to be told no more. */
export const unwatchFreezesSignal = defineSignal<[string]>('unwatchFreezes');
/** What every watching release is sent; a list with a lower number than one it has is old. */
export const freezesChangedSignal = defineSignal<[FreezeList]>('freezesChanged');
