import type { Offer, TaskInfo } from '../../activities/mesos/types.ts';
import { backoffKey, launchAllowedAt } from './backoff.ts';
import { isPlaced } from './conditions.ts';
import type { Instances } from './instances.ts';
import type { LaunchQueue, QueueEntry, QueueRef } from './launch-queue.ts';
import type { App } from './model.ts';
import { matchOffer, type Remains, remainsOf } from './offers.ts';
import type { Profile } from './profile.ts';
import type { State } from './state.ts';
import { taskInfo } from './task-info.ts';

/** Marathon starts at most so many tasks on one offer (`max_instances_per_offer`). */
const MAX_TASKS_PER_OFFER = 5;

export interface LauncherParts {
  readonly state: State;
  readonly queue: LaunchQueue;
  readonly profile: Profile;
  readonly instances: Instances;
  readonly nowMs: () => number;
  readonly random: () => number;
}

/** Puts what waits in the queue onto offers. */
export class Launcher {
  readonly #parts: LauncherParts;

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  /** Once an offer has met a `GROUP_BY` without value, the queue of 1.11 is dead until it is started again. */
  #fails(): boolean {
    const groupsBlindly = ([, operator, value]: readonly string[]) => operator === 'GROUP_BY' && value === undefined;
    const { profile, queue } = this.#parts;
    if (profile.groupByNeedsValue && this.launchable().some((app) => app.constraints.some(groupsBlindly))) queue.die();
    return queue.isDead;
  }

  /** The tasks to start on an offer, possibly none. Their instances are stored; the offer is used up for the rest. */
  take(offer: Offer): readonly TaskInfo[] {
    if (this.#fails()) return [];
    const { queue, nowMs } = this.#parts;
    const tasks: TaskInfo[] = [];
    let remains = remainsOf(offer);
    let candidates = this.launchable();
    // In turns, so that one app with many instances does not take every offer whole.
    while (candidates.length > 0 && tasks.length < MAX_TASKS_PER_OFFER) {
      const still: App[] = [];
      for (const app of candidates) {
        if (tasks.length >= MAX_TASKS_PER_OFFER) break;
        const placed = this.#placed(app, offer, remains);
        if (!placed) continue;
        tasks.push(placed.task);
        remains = placed.remains;
        queue.used(refOf(app), nowMs());
        if (queue.get(refOf(app))) still.push(app);
      }
      candidates = still;
    }
    return tasks;
  }

  /** Apps that have something to start now, in the configuration to start: in the queue and not delayed. */
  launchable(): readonly App[] {
    const { queue, nowMs } = this.#parts;
    return queue.entries().flatMap((entry) => {
      const app = this.#wanted(entry);
      return app && this.#allowedAt(app) <= nowMs() ? [app] : [];
    });
  }

  /** When the next delayed app may start; undefined when none is delayed. */
  nextAllowedMs(): number | undefined {
    const { queue, nowMs } = this.#parts;
    const times = queue.entries().flatMap((entry) => {
      const app = this.#wanted(entry);
      return app ? [this.#allowedAt(app)] : [];
    });
    const later = times.filter((time) => time > nowMs());
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  #placed(app: App, offer: Offer, remains: Remains): { task: TaskInfo; remains: Remains } | undefined {
    const { state, queue, instances, nowMs, random } = this.#parts;
    const others = state.instancesOf(app.id).filter(isPlaced);
    const match = matchOffer(
      app,
      offer,
      remains,
      others.map(({ attributes }) => attributes),
      random,
      nowMs(),
      { groupByQuota: this.#parts.profile.groupByNeedsValue },
    );
    if (!match.fits) {
      queue.rejected(refOf(app), offer, match.reason, nowMs());
      return undefined;
    }
    const launched = instances.launch(app, offer, match.ports);
    return { task: taskInfo({ ...app, version: launched.version }, launched, random), remains: match.remains };
  }

  #wanted(entry: QueueEntry): App | undefined {
    const { state } = this.#parts;
    return state.app(entry.appId) && state.configOf(entry);
  }

  #allowedAt(app: App): number {
    const backoff = this.#parts.state.backoffs.get(backoffKey(app));
    return backoff ? launchAllowedAt(backoff) : 0;
  }
}

function refOf({ id, generation }: App): QueueRef {
  return { appId: id, generation };
}
