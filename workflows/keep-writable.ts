import { ActivityFailure, log, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { LaneActivities } from '../activities/lane/activities.ts';
import type { MaintenanceActivities } from '../activities/registry/maintenance.ts';
import { WaitReason } from '../domain/wait.ts';
import { collectedSignal, hostTaskQueue, type KeepWritableInput } from './contract.ts';
import { activities, change, type Profile, READ } from './options.ts';
import { idleUntil, type WaitBoard, waitFor } from './wait.ts';

/** Longest time for the registry to change its mode, restart included. */
export const MODE_SECONDS = 240;
/** How often it is looked whether the collection still runs. One that was terminated cannot say so. */
const CHECK_SECONDS = 10;

/**
 * Sees to it that the registry takes pushes again after a collection, whatever becomes of the collection: it is started
 * before the registry is made read-only, outlives its parent, and ends only when the registry is read-write.
 */
export async function keepWritable({ host, collection }: KeepWritableInput): Promise<void> {
  let collected = false;
  setHandler(collectedSignal, () => {
    collected = true;
  });
  const board: WaitBoard = { show: (wait) => setCurrentDetails(wait?.sentence ?? '') };
  const wait = {
    reason: WaitReason.Held,
    sentence: `${collection} holds the registry read-only`,
    endedBy: 'that collection, when it ends',
    seconds: CHECK_SECONDS,
    atDeadline: 'it is looked whether that collection still runs',
  };
  let over = false;
  while (!over && !(await waitFor(board, wait, () => collected))) {
    let answered = false;
    const asked = mayStillRun(collection).then((runs) => {
      answered = true;
      over = !runs;
    });
    // The collection's own word counts at once, also while nobody can answer for it.
    await Promise.race([asked, idleUntil(() => collected || answered)]);
    over ||= collected;
  }
  await makeReadWrite(host, { onlyIfNeeded: false });
}

/** Makes the registry take pushes. Tried without end: one that stays read-only stops every build. */
export async function makeReadWrite(host: string, input: { readonly onlyIfNeeded: boolean }): Promise<void> {
  const profile: Profile = {
    ...change(MODE_SECONDS),
    scheduleToCloseTimeout: '3650 days',
    retry: { ...change(MODE_SECONDS).retry, nonRetryableErrorTypes: [] },
    taskQueue: hostTaskQueue(host),
  };
  await activities<MaintenanceActivities>(profile, 'Make sure that the registry takes pushes').makeRegistryReadWrite(
    input,
  );
}

async function mayStillRun(collection: string): Promise<boolean> {
  try {
    const ask = activities<LaneActivities>(READ, `Does ${collection} still run`);
    return (await ask.describeHolder({ holder: collection })).running;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('the collection could not be asked for', { collection, error });
    return true;
  }
}
