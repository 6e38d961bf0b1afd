import type { ShiftTarget } from './plan.ts';

/**
 * The targets of a shift for as many instances of the revision before as there are when the release comes to it.
 * Autoscaling may have moved their number since the plan was made: what serves by then is not given up, and what is gone
 * is not started again.
 *
 * @param planned instances that the plan saw
 * @param now instances when the release was admitted
 */
export function fitShift(target: ShiftTarget, planned: number, now: number): ShiftTarget {
  const { baseline, keep, order, weight } = target;
  // Below this it is the arithmetic that does not come out even, not the share.
  const instances = Math.max(target.instances, Math.ceil((now * weight) / 100 - 1e-9));
  return {
    order,
    weight,
    instances,
    keep: keep === 0 ? 0 : Math.min(now, keep + Math.max(0, now - planned)),
    baseline: baseline && { ...baseline, instances },
  };
}
