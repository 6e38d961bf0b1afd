import { isResident } from './app.ts';
import { isActive } from './conditions.ts';
import { affectedApps, conflicts } from './deployments.ts';
import type { EventBus } from './events.ts';
import { allApps } from './groups.ts';
import { killOrder, upgradeOrder } from './kill-order.ts';
import type { LaunchQueue } from './launch-queue.ts';
import {
  type App,
  type DeploymentAction,
  type DeploymentPlan,
  type Instance,
  isScheduled,
  type Scheduled,
} from './model.ts';
import type { Profile } from './profile.ts';
import type { RunningDeployment, State } from './state.ts';
import { type UpgradeBounds, upgradeBounds, upgradeMove } from './upgrade.ts';

/** What the orchestrator moves, and whom it asks. */
export interface OrchestratorParts {
  readonly state: State;
  readonly bus: EventBus;
  readonly queue: LaunchQueue;
  readonly profile: Profile;
  readonly nowMs: () => number;
  /** Resolves when what is decided now is stored: the look comes then. Without a promise it is stored at once. */
  readonly stored: () => Promise<void> | undefined;
  /** What waits for offers when a deployment is cancelled goes on waiting, as from 1.8 on. */
  readonly scheduledStay: boolean;
  readonly kill: (instances: readonly Instance[]) => void;
  /** Has no checks, or Mesos says that it is healthy: what upgrades count from 1.10 on. */
  readonly consideredHealthy: (one: Instance | Scheduled) => boolean;
  /** Runs, and was healthy and ready once, as far as the app has checks for that. */
  readonly isReady: (instance: Instance, app: App) => boolean;
  /** Apps, or what instances run, changed: health may have to be looked at elsewhere. */
  readonly appsChanged: () => void;
  /** After every look: the queue may hold more or less. `moreWork` when something new waits for offers. */
  readonly looked: (moreWork: boolean) => void;
}

/** What an action of a deployment needs to remember of its start. Lost with the process: a step then starts again. */
interface ActionMemory {
  /** Instances that were there: a scale-up waits only for the health of those it adds. */
  readonly present: ReadonlySet<string>;
  readonly bounds: UpgradeBounds;
  readonly oldAtStart: number;
  /** New instances that were ready at some time. */
  readonly ready: Set<string>;
  /** So many of them were ready at the start; each other one has paid for an old one. */
  readonly readyAtStart: number;
}

/**
 * Runs deployments step by step, and keeps every other app at its number. It always looks at what is and moves
 * towards what is wanted, so looking once more never does harm, and a restart goes on where things stand.
 */
export class Orchestrator {
  readonly #parts: OrchestratorParts;
  readonly #memory = new Map<string, ActionMemory>();
  /** Stopped already, while others of the same step are not. */
  readonly #terminated = new Set<string>();
  /** Apps outside of deployments to bring to their number at the next look, and how many more that takes if it is decided. */
  readonly #toScale = new Map<string, number | undefined>();
  /** Calls off the look that is to come. */
  #callOff: (() => void) | undefined;

  constructor(parts: OrchestratorParts) {
    this.#parts = parts;
  }

  running(): readonly RunningDeployment[] {
    return [...this.#parts.state.deployments.values()];
  }

  /** Ids of running deployments that change one of these apps. */
  locks(plan: DeploymentPlan): readonly string[] {
    return this.running()
      .filter((deployment) => conflicts(deployment.plan, plan))
      .map((deployment) => deployment.plan.id);
  }

  /** Begins a deployment. One without steps is done at once. */
  start(plan: DeploymentPlan): void {
    if (plan.steps.length === 0) {
      this.#parts.bus.publish('deployment_success', { id: plan.id, plan: emitPlan(plan) });
      return;
    }
    const deployment = { plan, step: 0 };
    this.#parts.state.putDeployment(deployment);
    this.#tellStep('deployment_info', deployment);
    this.#parts.appsChanged();
    this.look();
  }

  /** Ends a deployment where it stands; nothing is undone. */
  cancel(id: string, reason: string): void {
    const deployment = this.#parts.state.deployments.get(id);
    if (!deployment) return;
    this.#forget(deployment);
    for (const { appId, after } of deployment.plan.changes) {
      if (!after || !this.#parts.scheduledStay) this.#parts.queue.clear(appId, this.#parts.nowMs());
      // Its instances would belong to nobody, if nothing takes the app up again.
      if (!after) this.#toScale.set(appId, undefined);
    }
    this.#parts.bus.publish('deployment_failed', { id, plan: emitPlan(deployment.plan), reason });
    this.look();
  }

  /**
   * Brings an app to its number at the next look, unless a deployment has it in hand. Where the store takes time, it is
   * decided now how many are missing, and what is asked before that is stored is asked in vain, as
   * `MarathonSchedulerActor` does with an app that is locked.
   */
  scaleCheck(appId: string): void {
    this.#toBeScaled(appId);
    this.look();
  }

  scaleCheckAll(): void {
    for (const app of allApps(this.#parts.state.root)) this.#toBeScaled(app.id);
    this.look();
  }

  /** Looks soon; many calls make one look. */
  look(): void {
    if (this.#callOff) return;
    let isOff = false;
    this.#callOff = () => {
      isOff = true;
    };
    const look = () => {
      if (isOff) return;
      this.#callOff = undefined;
      this.#look();
    };
    const stored = this.#parts.stored();
    if (stored) void stored.then(look);
    else setImmediate(look);
  }

  #toBeScaled(appId: string): void {
    if (this.#toScale.has(appId)) return;
    const app = this.#parts.stored() ? this.#parts.state.app(appId) : undefined;
    const there = app && this.#parts.state.instancesOf(appId).filter(isActive).length + this.#queued(app);
    this.#toScale.set(appId, app && there !== undefined ? app.instances - there : undefined);
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #look(): void {
    let moreWork = false;
    const locked = new Set<string>();
    for (const deployment of this.running()) {
      for (const appId of affectedApps(deployment.plan)) locked.add(appId);
      moreWork = this.#advance(deployment) || moreWork;
    }
    for (const [appId, missing] of this.#toScale) {
      if (locked.has(appId)) {
        // What is missing when the deployment is over is another matter.
        this.#toScale.set(appId, undefined);
        continue;
      }
      this.#toScale.delete(appId);
      moreWork = this.#scaleOutsideDeployment(appId, missing) || moreWork;
    }
    this.#parts.looked(moreWork);
  }

  /** Does what the current step needs and goes on as long as steps are done. True when more waits for offers. */
  #advance(deployment: RunningDeployment): boolean {
    const { state, bus } = this.#parts;
    let current = deployment;
    let moreWork = false;
    for (;;) {
      const step = current.plan.steps[current.step];
      if (!step) break;
      let done = true;
      for (const action of step.actions) {
        const outcome = this.#act(current.plan, action);
        moreWork ||= outcome.moreWork;
        done &&= outcome.done;
      }
      if (!done) return moreWork;
      this.#tellStep('deployment_step_success', current);
      for (const action of step.actions) this.#memory.delete(memoryKey(current.plan, action));
      current = { plan: current.plan, step: current.step + 1 };
      if (current.step < current.plan.steps.length) {
        state.putDeployment(current);
        this.#tellStep('deployment_info', current);
      }
    }
    this.#forget(current);
    bus.publish('deployment_success', { id: current.plan.id, plan: emitPlan(current.plan) });
    return moreWork;
  }

  #act(plan: DeploymentPlan, action: DeploymentAction): { readonly done: boolean; readonly moreWork: boolean } {
    const target = plan.changes.find((change) => change.appId === action.app)?.after;
    switch (action.action) {
      case 'StartApplication':
        return { done: true, moreWork: false };
      case 'StopApplication':
        return this.#stopApp(plan, action);
      case 'ScaleApplication':
        return target ? this.#scaleApp(plan, action, target) : { done: true, moreWork: false };
      case 'RestartApplication':
        return target ? this.#restartApp(plan, action, target) : { done: true, moreWork: false };
    }
  }

  #stopApp(plan: DeploymentPlan, action: DeploymentAction) {
    const { state, bus, queue, profile } = this.#parts;
    const { app: appId } = action;
    const key = memoryKey(plan, action);
    if (this.#terminated.has(key)) return { done: true, moreWork: false };
    queue.purge(appId);
    const left = state.instancesOf(appId);
    this.#killRunning(left);
    if (left.length > 0) return { done: false, moreWork: false };
    const had = plan.changes.find((change) => change.appId === appId)?.before?.healthChecks.length ?? 0;
    if (had > 0 && profile.tellsRemovedChecks) bus.publish('remove_health_check_event', { appId });
    if (!state.app(appId)) state.forgetApp(appId);
    bus.publish('app_terminated_event', { appId });
    this.#terminated.add(key);
    return { done: true, moreWork: false };
  }

  #scaleApp(plan: DeploymentPlan, action: DeploymentAction, target: App) {
    const existing = this.#parts.state.instancesOf(target.id).filter(isActive);
    const memory = this.#recall(plan, action, target, existing);
    const wanted = existing.filter(({ goal }) => goal === 'Running');
    this.#killRunning(killOrder(target, wanted, wanted.length - target.instances, plan.sentenced));
    const moreWork = this.#enqueue(target, target.instances - existing.length);
    const settled = existing.length === target.instances && wanted.length === target.instances;
    const added = wanted.filter(({ id }) => !memory.present.has(id));
    return { done: settled && added.every((instance) => this.#parts.isReady(instance, target)), moreWork };
  }

  #restartApp(plan: DeploymentPlan, action: DeploymentAction, target: App) {
    const existing = this.#parts.state.instancesOf(target.id).filter(isActive);
    const memory = this.#recall(plan, action, target, existing);
    const old = existing.filter(({ generation }) => generation !== target.generation);
    const fresh = existing.filter(({ generation }) => generation === target.generation);
    for (const instance of fresh) {
      if (this.#parts.isReady(instance, target)) memory.ready.add(instance.id);
    }
    const oldWaiting = this.#formerWaiting(target);
    const oldRunning = [...old.filter(({ goal }) => goal === 'Running'), ...oldWaiting];
    const readyNow = fresh.filter(({ id, goal }) => goal === 'Running' && memory.ready.has(id)).length;
    const move = upgradeMove(memory.bounds, {
      instances: target.instances,
      oldAtStart: memory.oldAtStart,
      oldRunning: oldRunning.length,
      oldExisting: old.length + oldWaiting.length,
      newExisting: fresh.length,
      newReady: Math.max(readyNow, Math.min(memory.ready.size, target.instances - 1)),
      readyAtStart: memory.readyAtStart,
    });
    const { profile, consideredHealthy } = this.#parts;
    const order = upgradeOrder(oldRunning, profile.upgradesTrustMesosAlone ? consideredHealthy : undefined);
    const doomed = order.slice(0, move.kill);
    for (const one of doomed) {
      if (isScheduled(one)) this.#giveUp(one);
      else this.#killRunning([one]);
    }
    // It is gone at once, and nothing else will tell.
    if (doomed.some(isScheduled)) this.look();
    const moreWork = this.#queueUp(target, move.queue);
    return { done: move.done && readyNow >= target.instances, moreWork };
  }

  /** What was noted when the action began; noted now when it begins now. */
  #recall(plan: DeploymentPlan, action: DeploymentAction, target: App, existing: readonly Instance[]): ActionMemory {
    const key = memoryKey(plan, action);
    const known = this.#memory.get(key);
    if (known) return known;
    const running = existing.filter(({ goal }) => goal === 'Running');
    const old = running.filter(({ generation }) => generation !== target.generation);
    const ready = running.filter((one) => one.generation === target.generation && this.#parts.isReady(one, target));
    const resident = isResident(target.container);
    const memory: ActionMemory = {
      present: new Set(existing.map(({ id }) => id)),
      bounds: upgradeBounds(target.instances, existing.length + this.#waiting(target).length, target.upgradeStrategy, {
        resident,
        ...(this.#parts.profile.upgradesTrustMesosAlone
          ? { healthy: [...running, ...this.#waiting(target)].filter(this.#parts.consideredHealthy).length }
          : {}),
      }),
      oldAtStart: old.length + this.#formerWaiting(target).length,
      ready: new Set(ready.map(({ id }) => id)),
      readyAtStart: ready.length,
    };
    this.#memory.set(key, memory);
    return memory;
  }

  /** Instances that are scheduled and no more: where there are such, an upgrade counts them as if they ran. */
  #waiting({ id }: App): readonly Scheduled[] {
    return [...this.#parts.state.scheduled.values()].filter(({ appId }) => appId === id);
  }

  /** Those of them that an upgrade is to replace. */
  #formerWaiting(target: App): readonly Scheduled[] {
    return this.#waiting(target).filter(({ generation }) => generation !== target.generation);
  }

  #giveUp(one: Scheduled): void {
    const { queue, nowMs } = this.#parts;
    queue.setCount(one, (queue.get(one)?.count ?? 0) - 1, nowMs());
  }

  #scaleOutsideDeployment(appId: string, missing: number | undefined): boolean {
    const app = this.#parts.state.app(appId);
    const instances = this.#parts.state.instancesOf(appId).filter(isActive);
    if (!app) {
      // What is left of an app whose stopping was cancelled.
      this.#killRunning(instances);
      return false;
    }
    const wanted = instances.filter(({ goal }) => goal === 'Running');
    const surplus = wanted.length - app.instances;
    if (surplus > 0) this.#parts.queue.purge(appId);
    this.#killRunning(killOrder(app, wanted, surplus));
    return this.#enqueue(app, missing === undefined ? app.instances - instances.length : this.#queued(app) + missing);
  }

  /** So many are to wait for offers; what waits in a former configuration, after a stopped upgrade, counts too. */
  #enqueue(app: App, count: number): boolean {
    const former = this.#formerWaiting(app);
    for (const one of former.slice(Math.max(0, count))) this.#giveUp(one);
    return this.#queueUp(app, count - former.length);
  }

  /** How many wait for offers, in whatever configuration. */
  #queued(app: App): number {
    const { id, generation } = app;
    return (this.#parts.queue.get({ appId: id, generation })?.count ?? 0) + this.#formerWaiting(app).length;
  }

  #queueUp({ id, generation }: App, count: number): boolean {
    return this.#parts.queue.setCount({ appId: id, generation }, count, this.#parts.nowMs());
  }

  #killRunning(instances: readonly Instance[]): void {
    const running = instances.filter(({ goal }) => goal === 'Running');
    if (running.length > 0) this.#parts.kill(running);
  }

  #forget(deployment: RunningDeployment): void {
    this.#parts.state.removeDeployment(deployment.plan.id);
    for (const step of deployment.plan.steps) {
      for (const action of step.actions) {
        this.#memory.delete(memoryKey(deployment.plan, action));
        this.#terminated.delete(memoryKey(deployment.plan, action));
      }
    }
    this.#parts.appsChanged();
  }

  #tellStep(event: 'deployment_info' | 'deployment_step_success', { plan, step }: RunningDeployment): void {
    this.#parts.bus.publish(event, { plan: emitPlan(plan), currentStep: plan.steps[step] ?? { actions: [] } });
  }
}

/** The plan as events tell it. */
export function emitPlan({ id, steps, version }: DeploymentPlan): Record<string, unknown> {
  return { id, steps, version };
}

function memoryKey(plan: DeploymentPlan, action: DeploymentAction): string {
  return `${plan.id} ${action.action} ${action.app}`;
}
