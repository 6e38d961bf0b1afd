import type { ReleaseOutcome } from '../../domain/release.ts';
import { FAULTS } from './faults.ts';
import type { SeedResult } from './seed-run.ts';

/** How often what occurred, over many runs. */
export class Coverage {
  private readonly counts = new Map<string, Map<string, number>>();

  add({ views, met }: SeedResult): void {
    for (const view of views) {
      this.count('outcome', view.outcome ?? 'none');
      if (view.failure) this.count('failure', view.failure.type);
      for (const { kind, outcome } of view.steps) if (outcome !== 'skipped') this.count('step', kind);
      for (const { result } of view.verdicts) this.count('verdict', result);
    }
    for (const [fault, times] of Object.entries(met)) this.count('fault', fault, times);
  }

  /** A line for each table: what occurred, how often. */
  lines(): string[] {
    return [...this.counts].map(([table, counts]) => {
      const told = [...counts].sort(([, one], [, other]) => other - one).map(([name, times]) => `${name} ${times}`);
      return `${table.padEnd(8)} ${told.join(', ')}`;
    });
  }

  /** What should have occurred and did not. */
  missing(): string[] {
    return Object.entries(EXPECTED).flatMap(([table, names]) =>
      names.filter((name) => !this.counts.get(table)?.has(name)).map((name) => `${table} ${name}`),
    );
  }

  private count(table: string, name: string, times = 1): void {
    const counts = this.counts.get(table) ?? new Map<string, number>();
    this.counts.set(table, counts);
    counts.set(name, (counts.get(name) ?? 0) + times);
  }
}

const OUTCOMES: readonly ReleaseOutcome[] = ['released', 'rolled-back', 'failed', 'aborted'];

/** A simulation that meets less than this simulates too little. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  outcome: OUTCOMES,
  step: ['build', 'deploy', 'test', 'promote', 'approve', 'shift', 'hold', 'judge', 'bake', 'retire', 'rollback'],
  verdict: ['pass', 'fail', 'inconclusive'],
  failure: [
    'Aborted',
    'ApprovalExpired',
    'ApprovalRejected',
    'CanaryFailed',
    'CanaryInconclusive',
    'RevisionUnhealthy',
  ],
  fault: FAULTS,
};
