import type { WorkflowHandle } from '@temporalio/client';
import type { ReleaseView } from '../../domain/release.ts';
import { type ReleaseResult, releaseQuery } from '../../workflows/contract.ts';
import { type Observation, observe } from './observation.ts';
import type { Violation } from './violation.ts';
import { WAY_INVARIANTS } from './way-invariants.ts';
import type { Effect } from './world/exchange.ts';
import type { World } from './world/world.ts';

/** Sees every change that a release makes in production: before it is answered, what the release is about; after it, what holds. */
export class Watch {
  /** Called before the n-th change in production is made. */
  onChange: (nth: number) => Promise<void> = async () => {};
  private readonly world: World;
  private readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  private readonly before: Observation;
  private readonly violations: Violation[];
  private view: ReleaseView | undefined;
  private changes = 0;

  constructor(
    world: World,
    handle: WorkflowHandle<() => Promise<ReleaseResult>>,
    before: Observation,
    violations: Violation[],
  ) {
    this.world = world;
    this.handle = handle;
    this.before = before;
    this.violations = violations;
    world.onEffect = (effect) => this.check(effect);
    world.beforeAnswer = async (_system, call) => {
      if (!call.path.includes('/prod/') && !call.body.includes('"/prod/')) return;
      this.changes += 1;
      await this.onChange(this.changes);
      this.view = await this.handle.query(releaseQuery);
    };
  }

  /** Sees no more. */
  end(): void {
    this.world.onEffect = () => {};
    this.world.beforeAnswer = async () => {};
  }

  private check(effect: Effect): void {
    const { view, before } = this;
    const at = `${effect.system} ${effect.subject} ${effect.change}`;
    if (/ twice/.test(effect.change) && !this.world.lateIn.has(effect.system)) {
      this.violations.push({ invariant: 'each-effect-once', says: at, at });
    }
    if (!view || !/prod[/.:]/.test(effect.subject)) return;
    const observation = observe(this.world, 'prod', view.service);
    for (const [invariant, holds] of Object.entries(WAY_INVARIANTS)) {
      const says = holds({ observation, view, before });
      if (says !== undefined) this.violations.push({ invariant, says, at });
    }
  }
}
