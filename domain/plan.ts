import type { ConfigDiff } from './config-diff.ts';
import type { Freeze } from './freeze.ts';
import type { JudgePolicy } from './manifest.ts';
import type { Veto } from './veto.ts';

/** The list of steps a release will take: plain data with a digest, which is what people approve. */
export interface Plan {
  readonly service: string;
  readonly version: string;
  readonly commit: string;
  readonly manifestDigest: string;
  /** Version in the config centre; 0 where the service has none. */
  readonly configVersion: number;
  /** What served in each environment when the plan was made; null where nothing did. */
  readonly from: Readonly<Record<string, Running | null>>;
  readonly steps: readonly Step[];
  /** What the steps come to in each environment. */
  readonly changes: readonly EnvironmentChange[];
  /** How the configuration differs from the one that serves, by environment; null where it is the same or there is none. */
  readonly configDiff: Readonly<Record<string, ConfigDiff | null>>;
  /** Where the bundle may not come now, as far as it is known before it was built; absent for nowhere. */
  readonly vetoes?: readonly PlanVeto[];
  /** What is frozen on the way now; absent for nothing. In a release its gate asks for that right before each effect. */
  readonly freezes?: readonly PlanFreeze[];
  /**
   * `sha256:` of all other fields but the vetoes and freezes, in canonical JSON. They say nothing of what a release would
   * do: one that is lifted makes no approval void.
   */
  readonly digest: string;
}

/** A veto that stands in the way of a plan. The release ends there, unless somebody lifts it before. */
export interface PlanVeto {
  readonly environment: string;
  readonly veto: Veto;
  /** Why, and what to do about it. */
  readonly sentence: string;
}

/** A freeze that would hold a plan up. The release waits there until it is over. */
export interface PlanFreeze {
  readonly freeze: Freeze;
  /** What is frozen, by whom and why. */
  readonly sentence: string;
}

/**
 * One entry of a plan. `id` is unique in the plan and stable over runs: `<kind>-<environment>`, and with a number from 1
 * where an environment has several of the kind. All targets are absolute.
 */
export type Step =
  | { readonly id: string; readonly kind: 'build' }
  | { readonly id: string; readonly kind: 'deploy'; readonly environment: string; readonly instances: number }
  | { readonly id: string; readonly kind: 'test'; readonly environment: string; readonly suites: readonly string[] }
  | { readonly id: string; readonly kind: 'promote'; readonly tag: string }
  | {
      readonly id: string;
      readonly kind: 'approve';
      readonly environment: string;
      readonly count: number;
      /** Name of the group that the people must be of; absent for anyone. */
      readonly group?: string;
      readonly expiresSeconds: number;
    }
  | {
      readonly id: string;
      readonly kind: 'shift';
      readonly environment: string;
      readonly order: ShiftOrder;
      /** Percent of traffic on the new revision after the step. */
      readonly weight: number;
      /** Instances of the new revision after the step. */
      readonly instances: number;
      /** Instances of the revision before after the step. */
      readonly keep: number;
      /** Fresh instances of the revision before, for the judge to compare with; null where none are to be after the step. */
      readonly baseline: BaselineTarget | null;
    }
  | {
      readonly id: string;
      readonly kind: 'hold';
      readonly environment: string;
      readonly seconds: number;
      /** The judge that is to speak next: harm that it sees ends the hold at once. Null where none is to come. */
      readonly watch: { readonly name: string; readonly policy: JudgePolicy } | null;
    }
  | {
      readonly id: string;
      readonly kind: 'judge';
      readonly environment: string;
      /** Name of the policy in the manifest. */
      readonly name: string;
      readonly policy: JudgePolicy;
      /** Planned time since traffic was last moved. */
      readonly seconds: number;
      /** How much longer an undecided judge may look before the canary is taken back. */
      readonly moreSeconds: number;
    }
  | { readonly id: string; readonly kind: 'bake'; readonly environment: string; readonly seconds: number }
  | { readonly id: string; readonly kind: 'retire'; readonly environment: string };

export type StepKind = Step['kind'];

/**
 * How a shift comes to its targets. `up-first`: the new instances, their traffic, then the old ones that go.
 * `down-first`: the old ones go, then the new instances and their traffic. `at-once`: both side by side, then traffic.
 */
export type ShiftOrder = 'up-first' | 'down-first' | 'at-once';

/** What fresh instances of the revision before are to be. The revision before gets the traffic that is left. */
export interface BaselineTarget {
  readonly instances: number;
  /** Percent of traffic. */
  readonly weight: number;
}

/** What a shift is to come to. */
export type ShiftTarget = Pick<
  Extract<Step, { kind: 'shift' }>,
  'order' | 'weight' | 'instances' | 'keep' | 'baseline'
>;

type WithoutId<S> = S extends Step ? Omit<S, 'id'> : never;

/** A step that has no id yet: that depends on the others. */
export type StepDraft = WithoutId<Step>;

/** What runs in an environment now, as far as a plan needs to know. */
export interface Running {
  readonly revision: string;
  readonly instances: number;
  /** Version in the config centre; 0 where the service has none. */
  readonly configVersion: number;
}

/** What a plan changes in one environment. Nothing is ever restarted: revisions are started and stopped, and not edited. */
export interface EnvironmentChange {
  readonly environment: string;
  /** Instances of the new revision in the end. */
  readonly starts: number;
  /** What served before, with the instances that stop until the end; null where nothing served. */
  readonly stops: { readonly revision: string; readonly instances: number } | null;
  /** Most fresh instances of the revision before at a time; they go again. */
  readonly baseline: number;
  /** Fewest and most instances at a time on the way, baselines included. */
  readonly fewest: number;
  readonly most: number;
  /** Percent of traffic on the new revision, in the order in which it gets it. */
  readonly weights: readonly number[];
}

/** More steps than this are refused: people could not look through them, and a history has room for no more. */
export const MOST_STEPS = 199;

/** The environment a step acts in; undefined for steps that act in none. */
export function stepEnvironment(step: Step): string | undefined {
  return 'environment' in step ? step.environment : undefined;
}

/** True when no later step acts in the environment of the step at this index. */
export function isLastIn(steps: readonly Step[], index: number): boolean {
  const step = steps[index];
  const environment = step && stepEnvironment(step);
  return environment !== undefined && !steps.slice(index + 1).some((later) => stepEnvironment(later) === environment);
}
