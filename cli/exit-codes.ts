import { FailureType } from '../domain/failures.ts';
import type { ReleaseOutcome, ReleaseView } from '../domain/release.ts';
import { HttpFailure, type ProblemDocument } from '../domain/schemas/api.ts';

/** What the `slipway` command ends with; part of the public contract. */
export const ExitCode = {
  Ok: 0,
  Unexpected: 1,
  Usage: 2,
  StillRunning: 3,
  NotAllowed: 4,
  Failed: 5,
  Rejected: 6,
  Conflict: 7,
  AuditBroken: 8,
  Interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const REJECTIONS: ReadonlySet<string> = new Set([FailureType.ApprovalRejected, FailureType.ApprovalExpired]);
const CONFLICTS: ReadonlySet<string> = new Set([
  FailureType.LaneBusy,
  FailureType.Drifted,
  FailureType.PlanOutdated,
  FailureType.TagConflict,
]);

/**
 * The code for a release that has ended.
 *
 * @param wanted the end that counts as success: of a release `released`, of a rollback `rolled-back`
 */
export function exitCodeOfRelease(view: ReleaseView, wanted: ReleaseOutcome = 'released'): ExitCode {
  if (view.outcome === undefined) return ExitCode.StillRunning;
  if (view.outcome === wanted) return ExitCode.Ok;
  const failure = view.failure?.type ?? '';
  if (CONFLICTS.has(failure)) return ExitCode.Conflict;
  return view.outcome === 'aborted' || REJECTIONS.has(failure) ? ExitCode.Rejected : ExitCode.Failed;
}

/** The code for a request that the API refused. */
export function exitCodeOfProblem({ status, code }: Pick<ProblemDocument, 'status' | 'code'>): ExitCode {
  if (status === 401 || status === 403) return ExitCode.NotAllowed;
  if (status === 409 || code === HttpFailure.IdempotencyKeyReused) return ExitCode.Conflict;
  return status === 400 || status === 404 || status === 422 ? ExitCode.Usage : ExitCode.Unexpected;
}
