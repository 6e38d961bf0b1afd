import type { Step } from '../../domain/plan.ts';
import type { ReleaseView } from '../../domain/release.ts';
import type { Observation } from './observation.ts';
import type { IllnessScript } from './script.ts';
import type { World } from './world/world.ts';

/** What became of it. The server's time, ms since 1970. */
export interface IllnessStory {
  readonly script: IllnessScript;
  readonly since: number;
  /** Undefined while it lasts. */
  readonly until: number | undefined;
}

/** Shorter waits are not watched. */
const WATCHED_SECONDS = 30;
/** What begins with somebody's word is held back so long: nobody approves what they see fall. */
const APPROVED_AFTER_SECONDS = 90;

/** Where a release of a run may fall ill, and what is true of that. */
export class Illness {
  private readonly script: IllnessScript | undefined;
  private readonly world: World;
  private readonly environment: string;
  private readonly known: ReadonlySet<string>;
  private readonly passTime: (ms: number) => Promise<void>;
  private readonly now: () => Promise<number>;
  private told: IllnessStory | undefined;

  /**
   * @param before what was there before
   * @param time how time passes, and which it is
   */
  constructor(
    script: IllnessScript | undefined,
    world: World,
    before: Observation,
    time: { readonly pass: (ms: number) => Promise<void>; readonly now: () => Promise<number> },
  ) {
    this.script = script;
    this.world = world;
    this.environment = 'prod';
    this.known = new Set(before.apps.map(({ revision }) => revision));
    this.passTime = time.pass;
    this.now = time.now;
  }

  get story(): IllnessStory | undefined {
    return this.told;
  }

  /** Since when instances are ill; undefined while none is. */
  get since(): number | undefined {
    return this.told?.until === undefined ? this.told?.since : undefined;
  }

  /** Falls ill, when a release stands so that it is time for it; undefined when it is not. One that heals does so at once. */
  due(view: ReleaseView): (() => Promise<void>) | undefined {
    return this.isDue(view) ? () => this.strike(view) : undefined;
  }

  private isDue(view: ReleaseView): boolean {
    const running = view.steps.find(({ outcome }) => outcome === 'running');
    const step = view.plan?.steps.find(({ id }) => id === running?.id);
    return (
      this.told === undefined &&
      step !== undefined &&
      step.kind === this.script?.at &&
      ENDED_BY_TIME.has(view.wait?.reason ?? '') &&
      lasts(step) >= WATCHED_SECONDS &&
      this.fresh(view.service) !== undefined
    );
  }

  private async strike(view: ReleaseView): Promise<void> {
    const app = this.fresh(view.service);
    if (!app || !this.script) return;
    const { at, heals, who } = this.script;
    this.world.marathon.fallIll(app, who);
    this.world.met.count('illness', `${at} ${heals === undefined ? 'lasting' : 'healed'}`);
    const since = await this.now();
    this.told = { script: this.script, since, until: undefined };
    if (heals !== undefined) {
      await this.passTime(heals * 1000);
      this.world.marathon.heal(app);
      this.told = { ...this.told, until: await this.now() };
    } else if (at === 'approve') {
      await this.passTime(APPROVED_AFTER_SECONDS * 1000);
    }
  }

  /** The release has ended: what is left is as any other. */
  end(service: string): void {
    for (const { id } of this.world.apps(this.environment, service)) this.world.marathon.heal(id);
  }

  private fresh(service: string): string | undefined {
    const apps = this.world.apps(this.environment, service);
    return apps.find(
      ({ id, instances }) => instances > 0 && !this.known.has(id.split('/')[3] ?? '') && !id.endsWith('-baseline'),
    )?.id;
  }
}

const ENDED_BY_TIME: ReadonlySet<string> = new Set(['canary-figures', 'hold', 'bake', 'approval']);

function lasts(step: Step): number {
  if (step.kind === 'approve') return step.expiresSeconds;
  return 'seconds' in step ? step.seconds : 0;
}
