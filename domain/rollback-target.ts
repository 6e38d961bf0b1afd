import { FailureType } from './failures.ts';
import type { LaneState, RevisionRecord } from './lane.ts';
import { vetoOn, vetoSentence } from './veto.ts';

/** What a rollback after the end of a release is asked for. */
export interface RollbackWish {
  /** Id of the bundle to go away from; absent for whatever serves. */
  readonly bundle?: string;
  /** Id of the bundle to go back to; absent for the newest that may come. */
  readonly to?: string;
}

export type RollbackTarget =
  | { readonly ok: true; readonly target: RevisionRecord }
  | { readonly ok: false; readonly type: FailureType; readonly message: string };

/**
 * What a lane goes back to. By itself never to a vetoed bundle; asked for one it says so: that it was rolled back is a
 * reason that only a person's word takes away.
 */
export function rollbackTarget(lane: LaneState, { bundle, to }: RollbackWish): RollbackTarget {
  const { current, environment, service } = lane;
  const earlier = lane.earlier ?? (lane.previous === undefined ? [] : [lane.previous]);
  if (!current) return refused(FailureType.NothingToRollBackTo, `nothing of ${service} serves in ${environment}`);
  if (bundle !== undefined && current.bundle.id !== bundle) {
    return refused(
      FailureType.PlanOutdated,
      `${environment} serves ${current.bundle.version} by now, which is not of this release; roll back the release that brought it`,
    );
  }
  if (to === undefined) {
    const target = earlier.find((record) => vetoOn(lane.vetoes, record.bundle.id) === undefined);
    if (target) return { ok: true, target };
    return refused(
      FailureType.NothingToRollBackTo,
      `no earlier bundle of ${service} is known in ${environment}${earlier.length === 0 ? '' : ' that is not vetoed'}`,
    );
  }
  if (to === current.bundle.id) {
    return refused(FailureType.NothingToRollBackTo, `${environment} serves ${current.bundle.version} (${to}) already`);
  }
  const target = earlier.find((record) => record.bundle.id === to);
  if (!target) {
    const known = earlier.map((record) => `${record.bundle.version} (${record.bundle.id})`).join(', ') || 'none';
    return refused(
      FailureType.UnknownBundle,
      `${environment} can't go back to ${to}; the bundles it can go back to are: ${known}`,
    );
  }
  const veto = vetoOn(lane.vetoes, to);
  return veto ? refused(FailureType.Vetoed, vetoSentence(environment, veto)) : { ok: true, target };
}

function refused(type: FailureType, message: string): RollbackTarget {
  return { ok: false, type, message };
}
