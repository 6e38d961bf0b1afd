/** Any time nothing moves: why, since when, who or what ends it, and what happens when nobody does. */
export interface Wait {
  readonly reason: WaitReason;
  /** One plain sentence, shown the same in the Temporal UI, CLI, chat and console. */
  readonly sentence: string;
  /** ISO 8601. */
  readonly since: string;
  /** Who or what ends it, such as `an approval by one person other than ann`. */
  readonly endedBy: string;
  /** ISO 8601. */
  readonly deadline: string;
  /** What happens at the deadline, such as `the release is rolled back`. */
  readonly atDeadline: string;
}

export const WaitReason = {
  Admission: 'admission',
  Approval: 'approval',
  CanaryFigures: 'canary-figures',
  Hold: 'hold',
  Bake: 'bake',
  Held: 'held',
  Drift: 'drift',
  Health: 'health',
  Paused: 'paused',
  Freeze: 'freeze',
  /** Not known yet whether anything is frozen. */
  Freezes: 'freezes',
  Window: 'window',
  Retry: 'retry',
  Restore: 'restore',
  RollbackReadiness: 'rollback-readiness',
  Ledger: 'ledger',
} as const;

export type WaitReason = (typeof WaitReason)[keyof typeof WaitReason];
