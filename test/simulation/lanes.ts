import { type LaneView, laneQuery, laneWorkflowId } from '../../workflows/contract.ts';
import type { SimulationRig } from './rig.ts';

/** What still runs when a seed is over ends in so long. */
const QUIET_WITHIN_MS = 10_000;

/** Lanes live for ever and look at the world all the time: that of another seed would be what they see next. */
export async function endLanes(rig: SimulationRig, service: string): Promise<void> {
  await rig.activityTime.idle(QUIET_WITHIN_MS);
  for (const environment of ['fat', 'prod']) {
    try {
      await rig.client.getHandle(laneWorkflowId(environment, service)).terminate('the run is over');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

const isNotFound = (error: unknown): boolean => error instanceof Error && error.name === 'WorkflowNotFoundError';

/** What a lane says of itself; undefined where nobody has asked for it yet. */
export async function laneOf(rig: SimulationRig, environment: string, service: string): Promise<LaneView | undefined> {
  try {
    return await rig.client.getHandle(laneWorkflowId(environment, service)).query(laneQuery);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
