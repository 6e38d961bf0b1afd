import type { TaskStatus } from '../../activities/mesos/types.ts';
import type { EventBus } from './events.ts';
import {
  afterFailure,
  afterSuccess,
  type CheckResult,
  type Health,
  isAlive,
  judgeResult,
  UNKNOWN_HEALTH,
} from './health.ts';
import type { App, Instance } from './model.ts';
import { isMesosCheck } from './task-info.ts';

/**
 * What is known of the health of instances. It is not kept over a restart: after one, health is unknown until it is
 * looked at again, or until Mesos tells the last result of its own checks.
 */
export class HealthTracker {
  readonly #bus: EventBus;
  readonly #nowMs: () => number;
  readonly #secondMs: number;
  /** By instance, one entry per check of its app. */
  readonly #health = new Map<string, Health[]>();
  /** What was told last about an instance as a whole. */
  readonly #told = new Map<string, boolean>();
  /** Instances that were healthy once: what turns red later is no deployment's business. */
  readonly #healthyOnce = new Set<string>();

  /** @param secondMs how long a second of a grace period takes */
  constructor(bus: EventBus, nowMs: () => number, secondMs = 1000) {
    this.#bus = bus;
    this.#nowMs = nowMs;
    this.#secondMs = secondMs;
  }

  /** The results there are, one per check that was looked at. */
  results(instance: Instance): readonly Health[] {
    return (this.#health.get(instance.id) ?? []).filter((health) => health !== UNKNOWN_HEALTH);
  }

  /** All checks green; undefined before the first result of each. Nothing is healthy without a check. */
  healthy(instance: Instance, app: App | undefined): boolean | undefined {
    const results = this.results(instance);
    if (results.some((health) => !isAlive(health))) return false;
    return results.length > 0 && results.length >= (app?.healthChecks.length ?? 0) ? true : undefined;
  }

  /** Mesos says so, by its own check; of others it says nothing. */
  isHealthyByMesos(instance: Instance, app: App): boolean {
    const health = this.#health.get(instance.id)?.[app.healthChecks.findIndex(isMesosCheck)];
    return health !== undefined && health !== UNKNOWN_HEALTH && isAlive(health);
  }

  wasHealthy(instance: Instance): boolean {
    return this.#healthyOnce.has(instance.id);
  }

  /** Takes in a result of a check that Marathon made; true when the instance must be replaced. */
  takeResult(instance: Instance, app: App, index: number, result: CheckResult): boolean {
    const check = app.healthChecks[index];
    if (!check) return false;
    const before = this.#of(instance, app, index);
    const runningSince = Date.parse(instance.startedAt ?? instance.stagedAt);
    const { health, counted, kill } = judgeResult(before, result, check, runningSince, this.#nowMs(), this.#secondMs);
    if (counted) {
      this.#bus.publish('failed_health_check_event', { appId: app.id, healthCheck: check, taskId: instance.id });
    }
    this.#store(instance, app, index, health);
    return kill;
  }

  /** Takes in what a task's status says of the check that Mesos makes; Mesos itself ends tasks that stay unhealthy. */
  takeStatus(instance: Instance, app: App, status: TaskStatus): void {
    const index = app.healthChecks.findIndex(isMesosCheck);
    if (status.healthy === undefined || index < 0) return;
    const before = this.#of(instance, app, index);
    const cause = status.message || 'unhealthy';
    this.#store(
      instance,
      app,
      index,
      status.healthy ? afterSuccess(before, this.#nowMs()) : afterFailure(before, cause, this.#nowMs()),
    );
  }

  /** Its task is over, and another will be the same instance's: what was seen of it stays until something else is. */
  ended(instanceId: string): void {
    this.#healthyOnce.delete(instanceId);
  }

  forget(instanceId: string): void {
    this.#health.delete(instanceId);
    this.#told.delete(instanceId);
    this.#healthyOnce.delete(instanceId);
  }

  #of(instance: Instance, app: App, index: number): Health {
    let all = this.#health.get(instance.id);
    if (!all) {
      all = app.healthChecks.map(() => UNKNOWN_HEALTH);
      this.#health.set(instance.id, all);
    }
    return all[index] ?? UNKNOWN_HEALTH;
  }

  #store(instance: Instance, app: App, index: number, health: Health): void {
    const before = this.#of(instance, app, index);
    this.#health.get(instance.id)?.splice(index, 1, health);
    if (health === before) return;
    if (isAlive(before) !== isAlive(health)) {
      this.#bus.publish('health_status_changed_event', {
        appId: app.id,
        instanceId: instance.id,
        version: instance.version,
        alive: isAlive(health),
      });
    }
    const healthy = this.healthy(instance, app);
    if (healthy) this.#healthyOnce.add(instance.id);
    if (healthy !== undefined) this.#tell(instance, app, healthy);
  }

  #tell(instance: Instance, app: App, healthy: boolean): void {
    if (this.#told.get(instance.id) === healthy) return;
    this.#told.set(instance.id, healthy);
    this.#bus.publish('instance_health_changed_event', {
      instanceId: instance.id,
      runSpecId: app.id,
      healthy,
      runSpecVersion: instance.version,
    });
  }
}
