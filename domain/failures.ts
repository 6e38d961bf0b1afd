/**
 * The stable name of every failure Slipway raises. A name is the `type` of the `ApplicationFailure` that crosses
 * from an activity to a workflow, of a refused Update, and the `code` of an API problem document.
 * Names are part of the public contract: add, never rename.
 */
export const FailureType = {
  /** A system did not answer, or answered with an error that may pass. Retryable. */
  SystemUnavailable: 'SystemUnavailable',
  /** A system understood the call and refused it. Not retryable. */
  SystemRefused: 'SystemRefused',
  /** A system answered something that its contract does not allow. Not retryable. */
  UnexpectedAnswer: 'UnexpectedAnswer',
  /** What was written is not what was read back before the deadline. */
  NotVerified: 'NotVerified',
  /** A wait reached its deadline. */
  DeadlineExceeded: 'DeadlineExceeded',
  /** The service is not in the configuration. */
  UnknownService: 'UnknownService',
  /** The environment is not in the configuration. */
  UnknownEnvironment: 'UnknownEnvironment',
  /** The git reference names no commit. */
  UnknownCommit: 'UnknownCommit',
  /** `slipway.yaml` is missing or has errors; details hold every one with its path. */
  ManifestInvalid: 'ManifestInvalid',
  /** The request itself has errors; details hold every one with its path. */
  RequestInvalid: 'RequestInvalid',
  /** A pipeline step of a build ended with an error; details hold the step and the end of its log. */
  BuildFailed: 'BuildFailed',
  /** No builder took the build in time, on any agent. */
  BuilderUnavailable: 'BuilderUnavailable',
  /** A test container ended with failures. */
  TestsFailed: 'TestsFailed',
  /** Instances did not become healthy; details hold the last failure of the tasks. */
  RevisionUnhealthy: 'RevisionUnhealthy',
  /** Of a new revision that served already too few instances were healthy, for longer than replacing one may take. */
  InstancesUnhealthy: 'InstancesUnhealthy',
  /** Marathon has no capacity for the instances asked. */
  CapacityExhausted: 'CapacityExhausted',
  /** The image is not in the registry. */
  ImageMissing: 'ImageMissing',
  /** The version of the configuration is not published in the environment. */
  ConfigMissing: 'ConfigMissing',
  /** The release tag exists with another digest. */
  TagConflict: 'TagConflict',
  /** An approval was refused by a person. */
  ApprovalRejected: 'ApprovalRejected',
  /** An approval named another plan than the one that waits. */
  PlanDigestMismatch: 'PlanDigestMismatch',
  /** The requester may not approve their own release. */
  SelfApproval: 'SelfApproval',
  /** The same person has approved already. */
  AlreadyApproved: 'AlreadyApproved',
  /** Nothing waits for this command now. */
  NotWaiting: 'NotWaiting',
  /** The release has ended. */
  ReleaseOver: 'ReleaseOver',
  /** No release has that id. */
  UnknownRelease: 'UnknownRelease',
  /** What runs now is not what the plan was made for. */
  PlanOutdated: 'PlanOutdated',
  /** An approval did not come before its deadline. */
  ApprovalExpired: 'ApprovalExpired',
  /** A rollback was asked for where there is nothing to go back to. */
  NothingToRollBackTo: 'NothingToRollBackTo',
  /** The canary judge found harm. */
  CanaryFailed: 'CanaryFailed',
  /** The canary judge could not decide before its deadline. */
  CanaryInconclusive: 'CanaryInconclusive',
  /** The bundle was rolled back in that environment and nobody has lifted the veto. */
  Vetoed: 'Vetoed',
  /** There is no veto on that bundle. */
  UnknownVeto: 'UnknownVeto',
  /** The lane knows no such bundle to go back to. */
  UnknownBundle: 'UnknownBundle',
  /** The way back from a rollout is not ready: what it needs is missing. */
  NotReadyToRollBack: 'NotReadyToRollBack',
  /** The lane is held by another release and the request asked not to wait. */
  LaneBusy: 'LaneBusy',
  /** A newer release that asked to supersede has taken this one's place in a lane. */
  Superseded: 'Superseded',
  /** What runs was changed by hand, and nobody has adopted or reverted that yet. */
  Drifted: 'Drifted',
  /** Nothing was changed by hand, or what was is being resolved already. */
  NoDrift: 'NoDrift',
  /** The person is not in the group whose word is needed. */
  NotInGroup: 'NotInGroup',
  /** Nobody could meet the rule of an approval: its group is not configured, or has too few people. */
  ApprovalImpossible: 'ApprovalImpossible',
  /** The requester may not release to the environment. */
  NotPermitted: 'NotPermitted',
  /** The release is paused already. */
  AlreadyPaused: 'AlreadyPaused',
  /** The release is not paused. */
  NotPaused: 'NotPaused',
  /** Nothing that could be skipped is under way or to come. */
  NothingToSkip: 'NothingToSkip',
  /** No failed step waits to be tried again. */
  NothingToRetry: 'NothingToRetry',
  /** The plan has no such step. */
  UnknownStep: 'UnknownStep',
  /** The same person has given this word already; another one is needed. */
  AlreadySaid: 'AlreadySaid',
  /** No freeze has that id, or it is over. */
  UnknownFreeze: 'UnknownFreeze',
  /** The click was used before, for something else. */
  ClickUsed: 'ClickUsed',
  /** The release was paused, frozen or outside its windows for longer than it may be. */
  HeldTooLong: 'HeldTooLong',
  /** What was changed by hand can't be adopted or reverted so while a release is under way. */
  NotAdoptable: 'NotAdoptable',
  /** A person or the API stopped the release. */
  Aborted: 'Aborted',
  /** A signature is missing, wrong, too old or was seen before. */
  SignatureInvalid: 'SignatureInvalid',
  /** No or a wrong token. */
  Unauthenticated: 'Unauthenticated',
  /** A bug of ours. */
  Internal: 'Internal',
} as const;

export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** One thing wrong in what somebody wrote: where, and what to do. */
export interface InputError {
  /** Path inside the document, such as `release.canary[1].weight`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
}

/** Activity failure types that no retry can mend; every retry policy lists them. */
export const NON_RETRYABLE_FAILURES: readonly string[] = [
  FailureType.SystemRefused,
  FailureType.UnexpectedAnswer,
  FailureType.UnknownService,
  FailureType.UnknownEnvironment,
  FailureType.UnknownCommit,
  FailureType.ManifestInvalid,
  FailureType.RequestInvalid,
  FailureType.BuildFailed,
  FailureType.ImageMissing,
  FailureType.ConfigMissing,
  FailureType.TagConflict,
  FailureType.NothingToRollBackTo,
  FailureType.PlanOutdated,
  FailureType.Vetoed,
  FailureType.UnknownBundle,
  FailureType.Internal,
  'PayloadsTooLarge',
];
