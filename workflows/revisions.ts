import type { MarathonActivities } from '../activities/marathon/activities.ts';
import { revisionName, revisionNumber } from '../domain/environment.ts';
import type { LaneState } from '../domain/lane.ts';
import { ask } from './ask.ts';
import { activities, READ } from './options.ts';

type Existing = readonly { readonly revision: string }[];

/** The highest revision number that lane or Marathon know, so that no name is given twice, even after a lane was lost. */
export async function highestRevision(state: LaneState): Promise<number> {
  const { environment, service } = state;
  return highest(
    state,
    await activities<MarathonActivities>(READ, summaryOf(state)).listRevisions({ environment, service }),
  );
}

/** The name of the next revision, for a release that holds the lane. */
export async function nextRevision(state: LaneState): Promise<string> {
  const { environment, service } = state;
  const existing = await ask<MarathonActivities, Existing>(summaryOf(state), (marathon) =>
    marathon.listRevisions({ environment, service }),
  );
  return revisionName(highest(state, existing) + 1);
}

function highest({ lastRevision }: LaneState, existing: Existing): number {
  return Math.max(lastRevision, ...existing.map(({ revision }) => revisionNumber(revision) ?? 0));
}

const summaryOf = ({ environment, service }: LaneState) => `Revisions of ${service} in ${environment}`;
