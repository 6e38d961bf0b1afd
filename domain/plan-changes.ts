import type { EnvironmentChange, Running, ShiftTarget, Step } from './plan.ts';

/** What the steps change, for each environment in which they start something. */
export function changesOf(
  steps: readonly Step[],
  running: Readonly<Record<string, Running | null>>,
): EnvironmentChange[] {
  const environments = new Set(
    steps.flatMap((step) => (step.kind === 'deploy' || step.kind === 'shift' ? [step.environment] : [])),
  );
  return [...environments].map((environment) => {
    const before = running[environment] ?? null;
    const shifts = steps.flatMap((step) => shiftsOf(step, environment));
    const kept = before?.instances ?? 0;
    let last: Sum = { kept, up: 0 };
    const sums = shifts.flatMap((shift) => {
      const during = sumsOf(shift, last);
      last = during.at(-1) ?? last;
      return during;
    });
    const counts = sums.map(({ kept: old, up }) => old + up);
    return {
      environment,
      starts: shifts.at(-1)?.instances ?? 0,
      stops: before && { revision: before.revision, instances: before.instances },
      baseline: Math.max(0, ...shifts.map(({ baseline }) => baseline?.instances ?? 0)),
      fewest: Math.min(kept, ...counts),
      most: Math.max(kept, ...counts),
      weights: shifts.map(({ weight }) => weight).filter((weight, index, all) => weight !== all[index - 1]),
    };
  });
}

/** Instances of the revision before, and all others, at one moment. */
interface Sum {
  readonly kept: number;
  readonly up: number;
}

/** What runs at the moments of a shift, after what ran before it. */
function sumsOf({ baseline, instances, keep, order }: ShiftTarget, before: Sum): Sum[] {
  const up = instances + (baseline?.instances ?? 0);
  const kept = Math.min(before.kept, keep);
  switch (order) {
    case 'up-first':
      return [
        { kept: before.kept, up: Math.max(up, before.up) },
        { kept, up },
      ];
    case 'down-first':
      return [
        { kept, up: before.up },
        { kept, up },
      ];
    case 'at-once':
      return [
        { kept, up: before.up },
        { kept: before.kept, up },
        { kept, up },
      ];
  }
}

function shiftsOf(step: Step, environment: string): ShiftTarget[] {
  if (step.kind === 'shift' && step.environment === environment) return [step];
  if (step.kind !== 'deploy' || step.environment !== environment) return [];
  return [{ order: 'up-first', weight: 100, instances: step.instances, keep: 0, baseline: null }];
}
