import { STRATEGIES } from '../../domain/manifest.ts';
import type { ReleaseOutcome } from '../../domain/release.ts';
import { FAULTS } from './faults.ts';
import type { SeedResult } from './seed-run.ts';
import { Tally } from './tally.ts';

/** What many runs went through. */
export class Coverage {
  private readonly tally = new Tally();

  add({ views, met }: SeedResult): void {
    for (const view of views) {
      this.tally.count('outcome', view.outcome ?? 'none');
      if (view.failure) this.tally.count('failure', view.failure.type);
      for (const { kind, outcome } of view.steps) if (outcome !== 'skipped') this.tally.count('step', kind);
      for (const { result } of view.verdicts) this.tally.count('verdict', result);
    }
    this.tally.add(met);
  }

  /** A line for each table: what occurred, how often. */
  lines(): string[] {
    return this.tally.lines();
  }

  /** What should have occurred and did not. */
  missing(expected: Expected = EXPECTED): string[] {
    return Object.entries(expected).flatMap(([table, names]) =>
      names.filter((name) => !this.tally.has(table, name)).map((name) => `${table} ${name}`),
    );
  }
}

/** Names by table. */
export type Expected = Readonly<Record<string, readonly string[]>>;

/** What seeds with a trouble in the middle meet. */
export const TROUBLES_EXPECTED: Expected = {
  edit: [
    ...['old instances', 'new instances', 'config', 'bounds', 'traffic', 'old app', 'new app'],
    ...['adopt', 'revert', 'undo', 'roll back', 'late'],
    ...['config in a shift', 'bounds in a shift', 'traffic in a shift'],
  ],
  illness: ['hold', 'judge', 'bake', 'approve'].flatMap((at) => [`${at} lasting`, `${at} healed`]),
  failure: ['Aborted', 'CanaryInconclusive', 'Drifted', 'InstancesUnhealthy'],
  wait: ['health'],
};

const OUTCOMES: readonly ReleaseOutcome[] = ['released', 'rolled-back', 'failed', 'aborted'];

/** A simulation that meets less than this simulates too little. */
const EXPECTED: Expected = {
  outcome: OUTCOMES,
  strategy: STRATEGIES,
  step: ['build', 'deploy', 'test', 'promote', 'approve', 'shift', 'hold', 'judge', 'bake', 'retire', 'rollback'],
  verdict: ['pass', 'fail', 'inconclusive'],
  failure: [
    'Aborted',
    'ApprovalExpired',
    'ApprovalRejected',
    'BuildFailed',
    'CanaryFailed',
    'CanaryInconclusive',
    'NotPermitted',
    'NotReadyToRollBack',
    'RevisionUnhealthy',
    'TestsFailed',
  ],
  wait: [
    'admission',
    'approval',
    'bake',
    'canary-figures',
    'freeze',
    'hold',
    'paused',
    'retry',
    'rollback-readiness',
    'window',
  ],
  word: [
    'abort',
    'approve',
    'freeze',
    'pause',
    'promoteFully',
    'reject',
    'resume',
    'retryStep',
    'rollback',
    'skipAnalysis',
    'skipHold',
    'unfreeze',
  ],
  refusal: ['PlanDigestMismatch', 'ReleaseOver', 'SelfApproval'],
  rival: ['wait', 'supersede', 'refuse', 'LaneBusy', 'PlanOutdated', 'Superseded', 'goes after it went back'],
  window: [
    'closed at first, then released',
    'closed at first, then not released',
    'closed in the middle, then released',
    'closed in the middle, then not released',
  ],
  hand: ['instances adopt', 'instances revert', 'config adopt', 'config revert', 'bounds adopt', 'bounds revert'],
  fault: [
    ...FAULTS,
    'outage',
    'worker lost',
    'worker that forgets',
    'instance that is sick',
    'app that is locked',
    'image that is gone',
    'figures that are missing',
  ],
};
