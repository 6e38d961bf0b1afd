import type { MarathonActivities } from '../activities/marathon/activities.ts';
import { revisionNumber } from '../domain/environment.ts';
import type { LaneState } from '../domain/lane.ts';
import { activities, READ } from './options.ts';

/** The highest revision number that lane or Marathon know, so that no name is given twice, even after a lane was lost. */
export async function highestRevision({ environment, service, lastRevision }: LaneState): Promise<number> {
  const existing = await activities<MarathonActivities>(
    READ,
    `Revisions of ${service} in ${environment}`,
  ).listRevisions({
    environment,
    service,
  });
  return Math.max(lastRevision, ...existing.map(({ revision }) => revisionNumber(revision) ?? 0));
}
