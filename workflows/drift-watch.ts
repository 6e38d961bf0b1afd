import { CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { DriftActivities } from '../activities/drift/activities.ts';
import { canonicalJson } from '../domain/digest.ts';
import type { Difference, Expected } from '../domain/drift.ts';
import { failureFrom } from './failure.ts';
import { activities, WATCH } from './options.ts';

/** Watches beside everything else that all stays as expected. One at a time; in three events of the history. */
export class DriftWatch {
  private readonly report: (found: readonly Difference[]) => void;
  private scope: CancellationScope | undefined;
  private watched = '';

  /** @param report called with all that differs whenever that changes; with nothing when it was put right by hand */
  constructor(report: (found: readonly Difference[]) => void) {
    this.report = report;
  }

  /**
   * Watches this from now on; goes on if it does already.
   *
   * @param expected undefined: nothing
   * @param known what differs already and needs no telling
   */
  over(expected: Expected | undefined, known: readonly Difference[]): void {
    const watched = canonicalJson({ expected: expected ?? null, known });
    if (this.scope !== undefined && watched === this.watched) return;
    this.stop();
    if (expected === undefined) return;
    this.watched = watched;
    const scope = new CancellationScope();
    this.scope = scope;
    const { environment, service } = expected;
    const watching = activities<DriftActivities>(WATCH, `Is ${service} in ${environment} as Slipway made it`);
    scope
      .run(() => watching.watchDrift({ expected, known }))
      .then(
        (found) => {
          if (this.scope !== scope) return;
          this.scope = undefined;
          this.report(found);
        },
        (error: unknown) => {
          if (isCancellation(error)) return;
          const failure = failureFrom(error);
          if (!failure) throw error;
          log.error('nobody watches for hand-made changes', { environment, service, failure });
        },
      );
  }

  /** Watches nothing more. */
  stop(): void {
    this.scope?.cancel();
    this.scope = undefined;
  }
}
