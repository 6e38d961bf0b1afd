import type { JudgePolicy, ReleaseSpec, StrategyName } from './manifest.ts';
import type { Running, ShiftOrder, StepDraft } from './plan.ts';

/** What a strategy is to bring about in one environment in which something serves. */
export interface Rollout {
  readonly environment: string;
  /** Instances of the new revision in the end; never fewer than serve now. */
  readonly instances: number;
  readonly running: Running;
  readonly release: ReleaseSpec;
}

/** An undecided judge gets so many times the planned time on top before the canary is taken back. */
const MORE_TIMES = 2;

/** How each strategy comes from the revision before to the new one: nothing but shifts, and what is done between them. */
const STRATEGY_STEPS: Readonly<Record<StrategyName, (rollout: Rollout) => StepDraft[]>> = {
  canary: canarySteps,
  rolling: rollingSteps,
  'blue-green': blueGreenSteps,
  recreate: (rollout) => [wholeShift(rollout, 'down-first')],
  brutal: (rollout) => [wholeShift(rollout, 'at-once')],
};

/**
 * The steps of a release's strategy, all targets absolute; the last shift brings all traffic to the new revision. Where
 * nothing serves now there is nothing to compare with and nothing to share traffic with: see `firstShift`.
 */
export function strategySteps(rollout: Rollout): StepDraft[] {
  return STRATEGY_STEPS[rollout.release.strategy](rollout);
}

/** The only shift where nothing served before. */
export function firstShift(environment: string, instances: number): StepDraft {
  return { kind: 'shift', environment, order: 'up-first', weight: 100, instances, keep: 0, baseline: null };
}

/** What a canary has come to while its entries are read. */
interface CanaryState {
  readonly instances: number;
  readonly weight: number;
  /** Time since the last shift. */
  readonly heldSeconds: number;
  /** Instances that no shift has brought yet. */
  readonly pending: boolean;
}

function canarySteps({ environment, instances: total, running, release }: Rollout): StepDraft[] {
  const { approvals, canary, metrics } = release;
  const steps: StepDraft[] = [];
  let now: CanaryState = { instances: 0, weight: 0, heldSeconds: 0, pending: false };
  const shift = (index: number) => {
    const { instances, weight } = now;
    const judged = canary.slice(index).some(({ kind }) => kind === 'judge');
    const share = 2 * weight <= 100 ? weight : 100 - weight;
    const baseline = judged && instances > 0 ? { instances, weight: share } : null;
    const order = 'up-first';
    steps.push({ kind: 'shift', environment, order, weight, instances, keep: running.instances, baseline });
    now = { ...now, pending: false };
  };
  for (const [index, entry] of canary.entries()) {
    if (entry.kind === 'instances') {
      const instances = Math.max(now.instances, Math.min(entry.instances, total));
      now = { ...now, instances, pending: now.pending || instances !== now.instances };
      continue;
    }
    if (entry.kind === 'weight') {
      const { weight } = entry;
      now = { ...now, weight, instances: Math.max(now.instances, partOf(total, weight)), heldSeconds: 0 };
      shift(index);
      continue;
    }
    if (now.pending) shift(index);
    if (entry.kind === 'hold') {
      const next = canary.slice(index).find((later) => later.kind === 'judge');
      const watch = next && now.weight > 0 ? { name: next.name, policy: policyOf(metrics, next.name) } : null;
      steps.push({ kind: 'hold', environment, seconds: entry.seconds, watch });
      now = { ...now, heldSeconds: now.heldSeconds + entry.seconds };
    } else if (entry.kind === 'judge') {
      const { name } = entry;
      const { heldSeconds: seconds } = now;
      const moreSeconds = MORE_TIMES * seconds;
      steps.push({ kind: 'judge', environment, name, policy: policyOf(metrics, name), seconds, moreSeconds });
    } else {
      steps.push({ ...approvals, kind: 'approve', environment, count: entry.count });
    }
  }
  const last = { order: 'up-first', weight: 100, instances: total, keep: running.instances, baseline: null } as const;
  return [...steps, { kind: 'shift', environment, ...last }];
}

/**
 * New instances up, their share of the traffic, then as many old ones down, so that never more run than the surge
 * allows and never fewer than served before. Without a surge a batch of old ones goes first, and capacity is lower by
 * it meanwhile.
 */
function rollingSteps({ environment, instances: total, running, release }: Rollout): StepDraft[] {
  const { batchPercent, surgePercent } = release.rolling;
  const batch = Math.max(1, partOf(total, batchPercent));
  const surge = partOf(total, surgePercent);
  const order: ShiftOrder = surge > 0 ? 'up-first' : 'down-first';
  const steps: StepDraft[] = [];
  let instances = 0;
  let keep = running.instances;
  while (instances < total) {
    const room = surge > 0 ? total + surge - keep - instances : batch;
    instances = Math.min(total, instances + Math.max(1, Math.min(batch, room)));
    keep = Math.min(keep, total - instances);
    const weight = keep === 0 ? 100 : Math.max(1, Math.floor((100 * instances) / (instances + keep)));
    steps.push({ kind: 'shift', environment, order, weight, instances, keep, baseline: null });
  }
  return steps;
}

function blueGreenSteps({ environment, instances, running }: Rollout): StepDraft[] {
  const both = { order: 'up-first', instances, keep: running.instances, baseline: null } as const;
  return [
    { kind: 'shift', environment, ...both, weight: 0 },
    { kind: 'shift', environment, ...both, weight: 100 },
  ];
}

function wholeShift({ environment, instances }: Rollout, order: ShiftOrder): StepDraft {
  return { kind: 'shift', environment, order, weight: 100, instances, keep: 0, baseline: null };
}

/** Whole instances for a share of all, rounded up. */
function partOf(total: number, percent: number): number {
  // Below this it is the arithmetic that does not come out even, not the share.
  return Math.ceil((total * percent) / 100 - 1e-9);
}

function policyOf(metrics: ReleaseSpec['metrics'], name: string): JudgePolicy {
  const policy = metrics[name];
  if (policy === undefined) throw new Error(`the manifest has a judge ${name} without a policy`);
  return policy;
}
