import type { Difference } from './drift.ts';
import { FailureType } from './failures.ts';

/** What a person wants done about a hand-made change. */
export type DriftVerb = 'adopt' | 'revert';

/**
 * Why a release under way can't take over what was found, or can't put it back; undefined when it can. What is being
 * released is the bundle, and shares are the plan's: neither is changed by hand. An edited app can't be put back without a
 * fresh revision, which only an idle lane makes.
 *
 * @param shared traffic, configuration and bounds are the new revision's already
 */
export function refuseInRelease(
  verb: DriftVerb,
  found: readonly Difference[],
  shared: boolean,
): { readonly type: FailureType; readonly message: string } | undefined {
  const stands = found.find(({ kind }) => (verb === 'adopt' ? !mayAdopt(kind, shared) : kind === 'edited'));
  if (!stands) return undefined;
  const message =
    verb === 'adopt'
      ? 'a release under way takes over instances, foreign apps and weights of single servers only: revert it, or roll back'
      : 'an edited app can not be put back while a release is under way: undo the edit, or roll back and revert it in the lane';
  return { type: FailureType.NotAdoptable, message };
}

function mayAdopt(kind: Difference['kind'], shared: boolean): boolean {
  switch (kind) {
    case 'scaled':
    case 'unknown-app':
    case 'server-weights':
      return true;
    case 'config':
    case 'bounds':
      return !shared;
    default:
      return false;
  }
}
