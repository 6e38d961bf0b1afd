import { randomUUID } from 'node:crypto';
import type { EventBus } from './events.ts';
import type { QueueRef } from './launch-queue.ts';
import type { App, Instance, Scheduled } from './model.ts';
import { safePath } from './path-id.ts';
import type { State } from './state.ts';

/**
 * Instances that wait for an offer, as many as the entries in the launch queue count. Profiles up to 1.7
 * have none: there an instance begins with its launch and ends with its task.
 */
export class ScheduledInstances {
  readonly #state: State;
  readonly #bus: EventBus;

  constructor(state: State, bus: EventBus) {
    this.#state = state;
    this.#bus = bus;
  }

  /** Schedules new instances of an app, or gives up the newest, until so many of one configuration wait. */
  fit(ref: QueueRef, count: number): void {
    const app = this.#state.app(ref.appId);
    const waiting = this.#of(ref);
    for (const one of waiting.slice(app ? count : 0)) {
      this.#state.removeScheduled(one.id);
      // That its goal changed is told; that it is gone is not.
      this.#tell(one);
    }
    // Of a former configuration nothing new is wanted.
    if (app?.generation !== ref.generation) return;
    for (let have = waiting.length; have < count; have += 1) {
      const one = {
        id: `${safePath(app.id)}.instance-${randomUUID()}`,
        appId: app.id,
        version: app.version,
        generation: app.generation,
        incarnation: 1,
      };
      this.#state.putScheduled(one);
      this.#tell(one);
    }
  }

  /** The instance that a launch is for; the queue must have one. */
  take({ id, generation }: App): Scheduled {
    const [one] = this.#of({ appId: id, generation });
    if (!one) throw new Error(`${id} has an instance to launch, but none is scheduled`);
    this.#state.removeScheduled(one.id);
    return one;
  }

  /** An instance whose task has ended, and that is to have another. */
  again(instance: Instance): void {
    const { id, appId, version, generation, incarnation = 1 } = instance;
    this.#state.putScheduled({ id, appId, version, generation, incarnation: incarnation + 1, last: instance });
  }

  #of({ appId, generation }: QueueRef): readonly Scheduled[] {
    return [...this.#state.scheduled.values()].filter((one) => one.appId === appId && one.generation === generation);
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
