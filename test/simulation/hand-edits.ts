import type { WorkflowHandle } from '@temporalio/client';
import { adoptUpdate, type LaneView, laneQuery, laneWorkflowId, revertUpdate } from '../../workflows/contract.ts';
import type { SimulationRig } from './rig.ts';
import type { HandEdit } from './script.ts';
import type { Violation } from './violation.ts';
import type { World } from './world/world.ts';

/** An idle lane looks every few seconds; so long after a change it must be seen. */
const SEEN_WITHIN_MS = 30_000;
const LOOK_MS = 2_000;
/** A change that is to be put back may meet faults of its own. */
const RESOLVED_WITHIN_MS = 30 * 60_000;

/** Somebody changes production by hand, the lane sees it in time, and somebody says what is to become of it. */
export async function editByHand(
  { rig, world, service }: { readonly rig: SimulationRig; readonly world: World; readonly service: string },
  edit: HandEdit,
  violations: Violation[],
): Promise<void> {
  const lane = rig.client.getHandle<() => Promise<never>>(laneWorkflowId('prod', service));
  const { current } = (await lane.query(laneQuery)).state;
  if (!current) return;
  // Where no version is current, which one is so is not Slipway's to say.
  const isPointed = world.consul.value(`cfg/prod/${service}/current`) !== undefined;
  const what = edit.what === 'config' && !isPointed ? 'instances' : edit.what;
  make(world, service, what, current);
  world.met.count('hand', `${what} ${edit.answer}`);
  await resolveInLane({ rig, service }, edit.answer, `${edit.what} changed by hand`, violations);
}

/** The lane names what was changed by hand in time, and does what somebody says about it. */
export async function resolveInLane(
  { rig, service }: { readonly rig: SimulationRig; readonly service: string },
  answer: HandEdit['answer'],
  at: string,
  violations: Violation[],
): Promise<void> {
  const lane = rig.client.getHandle<() => Promise<never>>(laneWorkflowId('prod', service));
  const open = (view: LaneView) => view.drift !== undefined;
  if (!(await waited(rig, lane, open, SEEN_WITHIN_MS))) {
    violations.push({ invariant: 'hand-edits-are-seen', says: 'the lane has not seen it in 30 s', at });
    return;
  }
  await rig.activityTime.idle(LOOK_MS);
  const update = answer === 'adopt' ? adoptUpdate : revertUpdate;
  await lane.executeUpdate(update, { args: [{ by: 'bob', reason: 'it was me' }] });
  if (await waited(rig, lane, (view) => !open(view), RESOLVED_WITHIN_MS)) return;
  violations.push({ invariant: 'hand-edits-are-resolved', says: `nothing came of ${answer}`, at });
}

function make(
  world: World,
  service: string,
  what: HandEdit['what'],
  current: NonNullable<LaneView['state']['current']>,
): void {
  switch (what) {
    case 'instances':
      world.marathon.scaleByHand(`/prod/${service}/${current.revision}`, current.instances + 1);
      return;
    case 'config':
      world.consul.writeByHand(
        `cfg/prod/${service}/current`,
        world.consul.value(`cfg/prod/${service}/current`) === '1' ? '2' : '1',
      );
      return;
    case 'bounds': {
      const bounds = { min: 1, max: 99, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };
      world.consul.writeByHand(`slipway/scale/prod/${service}`, JSON.stringify(bounds));
    }
  }
}

async function waited(
  rig: SimulationRig,
  lane: WorkflowHandle<() => Promise<never>>,
  what: (view: LaneView) => boolean,
  withinMs: number,
): Promise<boolean> {
  for (let passed = 0; passed <= withinMs; passed += LOOK_MS) {
    await rig.passTime(LOOK_MS);
    if (what(await lane.query(laneQuery))) return true;
  }
  return false;
}
