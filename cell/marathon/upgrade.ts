import type { UpgradeStrategy } from './model.ts';

/** The arithmetic of a rolling upgrade (`RestartApplication`), as Marathon does it. */

/** The two numbers that bound an upgrade; fixed at its start. */
export interface UpgradeBounds {
  /** How many old instances end at once. */
  readonly killNow: number;
  /** How many instances, old and new, may exist at a time. */
  readonly maxCapacity: number;
}

/**
 * @param instances how many the app shall have, which may differ from what it has
 * @param current how many exist, of any version, those being killed included. Their health is not looked at: so what
 *   a stuck upgrade has started counts as capacity, and an upgrade on top of it ends healthy instances at once.
 *
 * @param options.healthy how many of them count as healthy. Up to 1.9 that is all, and then it is left out: their health
 *   is not looked at. From 1.10 those that Mesos says it of, and a surplus is killed at once too.
 *
 * Rounding is that of IEEE doubles, as in Marathon: 100 instances at 0.07 keep 8.
 */
export function upgradeBounds(
  instances: number,
  current: number,
  strategy: UpgradeStrategy,
  options: { readonly resident?: boolean; readonly healthy?: number } = {},
): UpgradeBounds {
  const minHealthy = Math.ceil(instances * strategy.minimumHealthCapacity);
  const maxCapacity = Math.trunc(instances * (1 + strategy.maximumOverCapacity));
  const healthy = options.healthy ?? current;
  const surplus = options.healthy === undefined ? 0 : Math.max(0, current - instances);
  const killNow = Math.max(surplus, healthy - minHealthy);
  // With no room to either side nothing could ever move: one instance more is allowed, or for volumes one less.
  if (minHealthy === maxCapacity && maxCapacity <= healthy) {
    if (options.resident) return { killNow: healthy - minHealthy + 1, maxCapacity };
    return { killNow, maxCapacity: maxCapacity + 1 };
  }
  return { killNow, maxCapacity };
}

/** What exists in the middle of an upgrade. */
export interface UpgradeState {
  /** How many the app shall have. */
  readonly instances: number;
  /** Old instances that were meant to run at the start of the upgrade. */
  readonly oldAtStart: number;
  /** Old instances that are meant to run. */
  readonly oldRunning: number;
  /** Old instances that exist, those being killed included: they count until they are gone. */
  readonly oldExisting: number;
  /** New instances that exist, those being killed included. */
  readonly newExisting: number;
  /** New instances that are healthy and ready. */
  readonly newReady: number;
  /** Those of them that were so at the start, as when a new leader goes on: what to kill at once was counted with them. */
  readonly readyAtStart: number;
}

/** The next move: how many old ones to kill and how many new ones to have in the queue; done when nothing is left. */
export interface UpgradeMove {
  readonly kill: number;
  readonly queue: number;
  readonly done: boolean;
}

/**
 * Every new instance that becomes ready pays for one old one; every old one that is gone makes room for a new one, up to
 * the bound. Called again whenever anything changed; the same state gives the same move.
 */
export function upgradeMove(bounds: UpgradeBounds, state: UpgradeState): UpgradeMove {
  const complete = state.newReady >= state.instances;
  const paid = Math.max(0, state.newReady - state.readyAtStart);
  const oldAllowed = complete ? 0 : Math.max(0, state.oldAtStart - bounds.killNow - paid);
  return {
    kill: Math.max(0, state.oldRunning - oldAllowed),
    queue: Math.max(
      0,
      Math.min(state.instances - state.newExisting, bounds.maxCapacity - state.oldExisting - state.newExisting),
    ),
    done: complete && state.oldExisting === 0,
  };
}
