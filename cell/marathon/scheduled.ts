import { randomUUID } from 'node:crypto';
import type { EventBus } from './events.ts';
import type { App, Instance, Scheduled } from './model.ts';
import { safePath } from './path-id.ts';
import type { State } from './state.ts';

/**
 * Instances that wait for an offer, as many for each app as its entry in the launch queue counts. Profiles up to 1.7
 * have none: there an instance begins with its launch and ends with its task.
 */
export class ScheduledInstances {
  readonly #state: State;
  readonly #bus: EventBus;

  constructor(state: State, bus: EventBus) {
    this.#state = state;
    this.#bus = bus;
  }

  /** Schedules new instances of an app, or gives up the newest, until so many wait. */
  fit(appId: string, count: number): void {
    const app = this.#state.app(appId);
    const waiting = this.#of(appId);
    const fresh = waiting.filter((one) => one.generation === app?.generation);
    const surplus = [...waiting.filter((one) => !fresh.includes(one)), ...fresh.slice(app ? count : 0)];
    for (const one of surplus) {
      this.#state.removeScheduled(one.id);
      // That its goal changed is told; that it is gone is not.
      this.#tell(one);
    }
    if (!app) return;
    for (let have = Math.min(fresh.length, count); have < count; have += 1) {
      const one = {
        id: `${safePath(app.id)}.instance-${randomUUID()}`,
        appId,
        version: app.version,
        generation: app.generation,
        incarnation: 1,
      };
      this.#state.putScheduled(one);
      this.#tell(one);
    }
  }

  /** The instance that a launch is for; the queue must have one. */
  take(app: App): Scheduled {
    const [one] = this.#of(app.id);
    if (!one) throw new Error(`${app.id} has an instance to launch, but none is scheduled`);
    this.#state.removeScheduled(one.id);
    return one;
  }

  /** An instance whose task has ended, and that is to have another. */
  again(instance: Instance): void {
    const { id, appId, version, generation, incarnation = 1 } = instance;
    this.#state.putScheduled({ id, appId, version, generation, incarnation: incarnation + 1, last: instance });
  }

  #of(appId: string): readonly Scheduled[] {
    return [...this.#state.scheduled.values()].filter((one) => one.appId === appId);
  }

  #tell({ id, appId, version }: Scheduled): void {
    this.#bus.publish('instance_changed_event', {
      instanceId: id,
      condition: 'Scheduled',
      runSpecId: appId,
      agentId: null,
      host: null,
      runSpecVersion: version,
    });
  }
}
