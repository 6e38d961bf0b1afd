import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import type { RevisionStatus } from './revision-status.ts';
import type { QueueItem } from './types.ts';

/** `details` of the failure when a revision did not get to its number of instances. */
export interface ShortfallDetails {
  readonly appId: string;
  readonly wanted: number;
  readonly running: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly staged: number;
  readonly lastFailure?: RevisionStatus['lastFailure'];
  /** Present when instances wait in Marathon's queue. */
  readonly queued?: {
    readonly count: number;
    /** Seconds until the next start is tried, after failures. */
    readonly delaySeconds: number;
    /** Why offers did not fit, and how many of those that got so far. */
    readonly rejected: readonly { readonly reason: string; readonly declined: number; readonly processed: number }[];
  };
}

/**
 * Why a revision has not reached `wanted` healthy instances after `seconds`: `CapacityExhausted` when Marathon would
 * start instances but no offer fits, `DeadlineExceeded` when surplus instances have not ended, else
 * `RevisionUnhealthy`. Not retryable: the deadline was the whole time there was.
 */
export function shortfall(
  status: RevisionStatus,
  wanted: number,
  seconds: number,
  queued: QueueItem | undefined,
): ApplicationFailure {
  const rejected = rejections(queued);
  const details: ShortfallDetails = {
    appId: status.appId,
    wanted,
    running: status.running,
    healthy: status.healthy,
    unhealthy: status.unhealthy,
    staged: status.staged,
    ...(status.lastFailure ? { lastFailure: status.lastFailure } : {}),
    ...(queued ? { queued: { count: queued.count, delaySeconds: queued.delay.timeLeftSeconds, rejected } } : {}),
  };
  const [type, why] = diagnosis(status, wanted, queued, rejected);
  return ApplicationFailure.create({
    type,
    nonRetryable: true,
    message: `Marathon: ${status.appId} has ${status.healthy} of ${wanted} instances healthy after ${seconds} s: ${why}`,
    details: [details],
  });
}

function diagnosis(
  status: RevisionStatus,
  wanted: number,
  queued: QueueItem | undefined,
  rejected: readonly { readonly reason: string; readonly declined: number; readonly processed: number }[],
): [FailureType, string] {
  if (status.tasks.length > wanted) {
    return [FailureType.DeadlineExceeded, `${status.tasks.length - wanted} surplus instances have not ended`];
  }
  // `overdue` says that no launch delay is left: only a fitting offer is missing.
  if (queued?.delay.overdue && queued.count > 0) {
    const reasons = rejected.map(({ reason, declined, processed }) => `${reason} ${declined} of ${processed}`);
    return [
      FailureType.CapacityExhausted,
      `${queued.count} wait for an offer that fits (declined: ${reasons.join(', ') || 'no offer came'}); ` +
        'add agents or free resources, and look at the constraints',
    ];
  }
  return [FailureType.RevisionUnhealthy, standing(status)];
}

/** How the instances of a revision are, and what Marathon says of the last that failed. */
export function standing({ lastFailure, running, staged, unhealthy }: RevisionStatus): string {
  const last = lastFailure ? `last failure: ${lastFailure.state} ${lastFailure.message}` : 'no instance failed';
  return `${running} run, ${unhealthy} have a red check, ${staged} are starting; ${last}`;
}

/** The reasons that declined at least one offer, over the last offers or else over the whole attempt. */
function rejections(queued: QueueItem | undefined) {
  const summary = queued?.processedOffersSummary;
  for (const list of [summary?.rejectSummaryLastOffers, summary?.rejectSummaryLaunchAttempt]) {
    const declining = (list ?? []).filter((entry) => entry.declined > 0);
    if (declining.length > 0) {
      return declining.map(({ reason, declined, processed }) => ({ reason, declined, processed }));
    }
  }
  return [];
}
