import { CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { DriftActivities } from '../activities/drift/activities.ts';
import { canonicalJson } from '../domain/digest.ts';
import type { Difference, Expected } from '../domain/drift.ts';
import { FINE, type Sighting, type WatchedHealth } from '../domain/health.ts';
import { failureFrom } from './failure.ts';
import { activities, WATCH } from './options.ts';

/**
 * Watches beside everything else that all stays as expected, and a revision healthy. One at a time; in three events of the
 * history.
 */
export class DriftWatch {
  private readonly report: (seen: Sighting) => void;
  private scope: CancellationScope | undefined;
  private watched = '';

  /** @param report called with all that differs whenever that changes, and when the revision is ill */
  constructor(report: (seen: Sighting) => void) {
    this.report = report;
  }

  /**
   * Watches this from now on; goes on if it does already.
   *
   * @param expected undefined: nothing
   * @param known what differs already and needs no telling
   * @param health the revision that must stay healthy; undefined: nobody asks
   */
  over(expected: Expected | undefined, known: readonly Difference[], health?: WatchedHealth): void {
    const { rule, health: does } = health ?? {};
    const watched = canonicalJson({ expected: expected ?? null, known, rule: rule ?? null, does: does?.state ?? null });
    if (this.scope !== undefined && watched === this.watched) return;
    this.stop();
    if (expected === undefined) return;
    this.watched = watched;
    const scope = new CancellationScope();
    this.scope = scope;
    const { environment, service } = expected;
    const watching = activities<DriftActivities>(WATCH, `Is ${service} in ${environment} as Slipway made it`);
    scope
      .run(() => watching.watchDrift({ expected, known, ...(health && { health }) }))
      .then(
        (told) => {
          if (this.scope !== scope) return;
          this.scope = undefined;
          this.report(sightingOf(told));
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

/** What a look has told: of health only where it was asked. */
export function sightingOf(told: readonly Difference[] | Sighting): Sighting {
  return 'differences' in told ? told : { differences: told, health: FINE };
}
