import type { ScaleBounds } from '../lane.ts';

/** A number of instances that the load asked for at some time. */
export interface TimedWish {
  readonly instances: number;
  /** ISO 8601. */
  readonly at: string;
}

export interface StabiliseInput {
  /** In the order in which they were made; the last is what the load asks for now. */
  readonly wishes: readonly TimedWish[];
  /** Instances wanted so far. */
  readonly current: number;
  readonly bounds: ScaleBounds;
  /** ISO 8601. */
  readonly now: string;
}

export interface StabiliseDecision {
  readonly instances: number;
  /** One plain sentence: which figure decided, and what limited it. */
  readonly because: string;
  /** The wishes that a later decision may still need. */
  readonly wishes: readonly TimedWish[];
}

/** Growth in one step: the larger of four instances and doubling, the default of the Kubernetes HPA. */
const STEP_UP = { instances: 4, factor: 2 } as const;

/** After a longer silence (and longer than the down window) earlier wishes prove nothing about the time between. */
const LONGEST_GAP_SECONDS = 300;

/**
 * How many instances a service should have, by the stabilisation of the Kubernetes HPA v2: up at once, down only to
 * the highest wish of the window of `downAfterSeconds`, `clamp(current, last wish, highest wish)`. Stricter than
 * Kubernetes in one point: nothing goes before wishes cover the whole window, that in force at its start included. So
 * a fresh list never shrinks a service, and a smaller wish holds for the whole window before it is followed.
 * Growth is limited by step; the bounds have the last word. With no wish it holds within the bounds.
 *
 * Source: kubernetes 1.31.4, pkg/controller/podautoscaler/horizontal.go, `stabilizeRecommendationWithBehaviors` and
 * `convertDesiredReplicasWithBehaviorRate`.
 */
export function decideInstances({ wishes, current, bounds, now }: StabiliseInput): StabiliseDecision {
  const { inForce, covered } = downWindow(wishes, bounds.downAfterSeconds, now);
  const last = inForce.at(-1);
  if (last === undefined) return { ...within(bounds, current, 'the load has asked for nothing yet'), wishes: inForce };

  const asked = `the load asks for ${last.instances}`;
  if (last.instances > current) {
    const step = Math.max(current + STEP_UP.instances, current * STEP_UP.factor);
    const limited = last.instances > step ? `${asked}, and one step goes to ${step} at most` : asked;
    return { ...within(bounds, Math.min(last.instances, step), limited), wishes: inForce };
  }
  if (last.instances === current) return { ...within(bounds, current, asked), wishes: inForce };
  const window = `the last ${bounds.downAfterSeconds} s`;
  if (!covered) return { ...within(bounds, current, `${asked}, but not yet for all of ${window}`), wishes: inForce };
  const highest = Math.min(current, Math.max(...inForce.map((wish) => wish.instances)));
  const because =
    highest > last.instances ? `${asked}, but asked for ${highest} within ${window}` : `${asked} for ${window}`;
  return { ...within(bounds, highest, because), wishes: inForce };
}

/**
 * The wishes in force at any time of the window, those made in it and the newest one before, and whether they cover it
 * all. A wish is in force until the next one, but not through a long silence.
 */
function downWindow(wishes: readonly TimedWish[], windowSeconds: number, now: string) {
  const start = Date.parse(now) - windowSeconds * 1000;
  const longestGap = Math.max(LONGEST_GAP_SECONDS, windowSeconds) * 1000;
  const atStart = wishes.findLastIndex((wish) => Date.parse(wish.at) <= start);
  const afterGap = wishes.findLastIndex(
    (wish, index) => index > 0 && Date.parse(wish.at) - Date.parse(wishes[index - 1]?.at ?? wish.at) > longestGap,
  );
  const inForce = wishes.slice(Math.max(atStart, afterGap, 0));
  return { inForce, covered: inForce[0] !== undefined && Date.parse(inForce[0].at) <= start };
}

function within(bounds: ScaleBounds, instances: number, because: string) {
  if (instances > bounds.max) return { instances: bounds.max, because: `${because}, and the maximum is ${bounds.max}` };
  if (instances < bounds.min) return { instances: bounds.min, because: `${because}, and the minimum is ${bounds.min}` };
  return { instances, because };
}
