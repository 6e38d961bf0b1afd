import type { WhenBusy } from '../../domain/admission.ts';
import type { StrategyName } from '../../domain/manifest.ts';
import type { Chance } from './chance.ts';
import type { Click } from './clicks.ts';
import type { Weather } from './faults.ts';
import type { Failing } from './stand-ins.ts';
import type { Behaviour } from './world/world.ts';

/** What people and the world do in one run; all of it follows from the seed. */
export interface Scenario {
  readonly seed: number;
  readonly chance: Chance;
  readonly service: string;
  /** Instances in production, as every manifest of the run asks. */
  readonly instances: number;
  /** True where workflows are forgotten after each of their tasks: every task is taken up by a worker that knows nothing. */
  readonly forgetful: boolean;
  readonly requestsPerSecond: number;
  readonly releases: readonly ReleaseScript[];
  /** After the last release somebody goes back to the bundle before. */
  readonly goesBack: boolean;
}

/** One release, and what happens to it. */
export interface ReleaseScript {
  readonly version: string;
  readonly source: 'git' | 'bundle';
  readonly configVersion: number;
  readonly strategy: StrategyName;
  /** YAML of the manifest's sections. */
  readonly canary: string;
  readonly rolling: string;
  /** How many people must approve. */
  readonly approvers: number;
  /** Most instances that autoscaling may bring. */
  readonly most: number;
  readonly behaviour: Behaviour;
  readonly buildFails: Failing;
  readonly testsFail: Failing;
  /** Time in which a failed step may be tried again, as the manifest has it. */
  readonly retryWithin: string;
  /** Who asks for it; eve may not release to production. */
  readonly requestedBy: 'ann' | 'eve';
  /** For so many looks the registry lacks the image that serves in production. */
  readonly imageGone: number;
  /** Figures end so many seconds after a window's begin, and come so late. */
  readonly figuresFor: number;
  readonly figuresLate: number;
  readonly approval: 'given' | 'rejected' | 'never';
  /** Clicks besides the one that approves. */
  readonly clicks: readonly Click[];
  readonly weather: Weather;
  /** What somebody has changed by hand in production before it begins, and what is done about it. */
  readonly handEdit: HandEdit | undefined;
  /** How long approvals may take, as the manifest has it. */
  readonly expires: string;
  /** A second release that begins while this one is under way. */
  readonly rival?: RivalScript;
  /** When production takes no release; undefined for never. */
  readonly closure: Closure | undefined;
  /** How its instances fall ill in production; undefined where they don't. */
  readonly illness: IllnessScript | undefined;
  /** What somebody changes by hand while it is under way. */
  readonly edit: EditScript | undefined;
  /** Its bake, as the manifest has it. */
  readonly bake: string;
  /** The worker of what runs is lost before this change in production is answered; 0 for never. */
  readonly workerLostAt: number;
}

export interface HandEdit {
  readonly what: 'instances' | 'config' | 'bounds';
  readonly answer: 'adopt' | 'revert';
}

/** A new revision that falls ill in production while its release waits there. */
export interface IllnessScript {
  /** In the first wait of a step of this kind. */
  readonly at: 'hold' | 'judge' | 'bake' | 'approve';
  readonly who: 'all' | 'one';
  /** So many seconds later it is well again; undefined for never. */
  readonly heals: number | undefined;
}

/** What somebody changes by hand while a release holds production. */
export type Edited = 'old instances' | 'new instances' | 'config' | 'bounds' | 'traffic' | 'old app' | 'new app';

/** A change by hand in the middle of a release, and what is said about it. */
export interface EditScript {
  readonly what: Edited;
  /** In the first wait of a step of this kind; in a shift: before its changes are through. */
  readonly at: 'hold' | 'approve' | 'bake' | 'shift';
  /** Before the n-th change in production, where it is in a shift. */
  readonly change: number;
  readonly answer: 'adopt' | 'revert' | 'undo' | 'roll back';
  /** Only when it holds up what comes next somebody says something about it; nobody lets an approval expire for it. */
  readonly late: boolean;
}

/** A while in which production takes no release, as the windows of its manifest have it. Minutes. */
export interface Closure {
  /** Below 0: production is closed when the release comes to it. */
  readonly closes: number;
  readonly opens: number;
  /** The release begins so many seconds after the minute from which these are counted. */
  readonly begins: number;
  /** The zone in which the manifest gives the times; none of them changes its clocks. */
  readonly zone: string;
}

/** A second release of the same service, started while a first one is under way. */
export interface RivalScript {
  readonly whenBusy: WhenBusy;
  /** Started while the first one waits for this. */
  readonly begins: readonly string[];
  /** Let go to production, which needs an approval, while the first one waits for this, or once that has ended. */
  readonly comes: string;
  readonly script: ReleaseScript;
}
