import type { Offer } from '../../activities/mesos/types.ts';
import { REJECT_REASONS, type RejectReason } from './offers.ts';

/** What is queued: an app in one of its configurations. */
export interface QueueRef {
  readonly appId: string;
  readonly generation: string;
}

/** An app that has instances to start. */
export interface QueueEntry extends QueueRef {
  /** How many are still to be started. */
  readonly count: number;
  readonly sinceMs: number;
  /** From when on nothing but an offer was missing, unless a delay says otherwise. */
  readonly allowedSinceMs: number;
}

/** What became of offers that were looked at for an app. */
export interface OfferStatistics {
  readonly processed: number;
  readonly unused: number;
  readonly lastUnusedMs?: number;
  readonly lastUsedMs?: number;
  /** Offers by the reason that stopped them, since the entry came into the queue. */
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>;
  /** The newest offer of each agent that did not fit. One that fits later does not take it back. */
  readonly unusedByAgent: ReadonlyMap<string, UnusedOffer>;
}

/** An offer that did not fit. */
export interface UnusedOffer {
  readonly offer: Offer;
  readonly reason: RejectReason;
  readonly atMs: number;
}

/** One line of a reject summary: of those that got so far, how many were stopped here. */
export interface RejectLine {
  readonly reason: RejectReason;
  readonly declined: number;
  readonly processed: number;
}

const NO_OFFERS: OfferStatistics = { processed: 0, unused: 0, rejected: {}, unusedByAgent: new Map() };

export interface LaunchQueueOptions {
  /**
   * As from 1.8 on: an upgrade leaves the former configuration's entry in the queue until its instances are ended too, and
   * one that has started all begins anew when it comes back. Else the new configuration takes the place of the former.
   */
  readonly keepsFormer?: boolean;
  /** Is told each count that is set. */
  readonly counted?: (ref: QueueRef, count: number) => void;
}

/**
 * Which apps wait for offers, and how offers did for them. Counts are set by whoever knows what is missing. What
 * offers did for an app counts on when it comes back, as one that keeps crashing, and in other configurations; only a
 * purge begins anew.
 */
export class LaunchQueue {
  /** Those with a count of 0 are out of sight. */
  readonly #entries = new Map<string, QueueEntry>();
  readonly #offers = new Map<string, OfferStatistics>();
  #dead = false;
  readonly #keepsFormer: boolean;
  readonly #counted: (ref: QueueRef, count: number) => void;

  constructor({ keepsFormer = false, counted = () => undefined }: LaunchQueueOptions = {}) {
    this.#keepsFormer = keepsFormer;
    this.#counted = counted;
  }

  /** Says how many instances of a configuration are to be started; 0 takes it out. True when there is more to do than before. */
  setCount({ appId, generation }: QueueRef, count: number, nowMs: number): boolean {
    if (this.#dead) return false;
    const ref = { appId, generation };
    const former = this.#keepsFormer ? undefined : this.#of(appId).find((one) => one.generation !== generation);
    if (former) this.#entries.delete(keyOf(former));
    const entry = this.#entries.get(keyOf(ref)) ?? former;
    const before = entry?.count ?? 0;
    const wanted = Math.max(0, count);
    this.#counted(ref, wanted);
    if (before === 0) {
      if (wanted === 0) return false;
      // It queues up at the end again.
      this.#entries.delete(keyOf(ref));
    }
    this.#put({ sinceMs: nowMs, allowedSinceMs: nowMs, ...entry, ...ref, count: wanted });
    return wanted > before;
  }

  /** From now on nothing comes in, and nothing will ever be started. */
  die(): void {
    this.#dead = true;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Takes an app out, in every configuration; how offers did for it counts on. */
  clear(appId: string, nowMs: number): void {
    for (const entry of this.#of(appId)) this.setCount(entry, 0, nowMs);
  }

  /** Takes an app out and forgets how offers did for it. */
  purge(appId: string): void {
    for (const entry of this.#of(appId)) {
      this.#counted({ appId, generation: entry.generation }, 0);
      this.#entries.delete(keyOf(entry));
    }
    this.#offers.delete(appId);
  }

  /** Notes that a delay of an app was lifted: whether it is overdue counts from here. */
  allowed(ref: QueueRef, nowMs: number): void {
    const entry = this.#entries.get(keyOf(ref));
    if (entry) this.#entries.set(keyOf(ref), { ...entry, allowedSinceMs: nowMs });
  }

  get(ref: QueueRef): QueueEntry | undefined {
    const entry = this.#entries.get(keyOf(ref));
    return entry && entry.count > 0 ? entry : undefined;
  }

  /** In the order in which they came. */
  entries(): readonly QueueEntry[] {
    return [...this.#entries.values()].filter(({ count }) => count > 0);
  }

  /** What offers did for an app. */
  offers(appId: string): OfferStatistics {
    return this.#offers.get(appId) ?? NO_OFFERS;
  }

  get isEmpty(): boolean {
    return this.entries().length === 0;
  }

  /** Notes that an offer started an instance. */
  used(ref: QueueRef, nowMs: number): void {
    const entry = this.get(ref);
    if (!entry) return;
    this.#put({ ...entry, count: entry.count - 1 });
    const offers = this.offers(ref.appId);
    this.#offers.set(ref.appId, { ...offers, processed: offers.processed + 1, lastUsedMs: nowMs });
  }

  /** Notes that an offer did not fit. */
  rejected(ref: QueueRef, offer: Offer, reason: RejectReason, nowMs: number): void {
    if (!this.get(ref)) return;
    const offers = this.offers(ref.appId);
    this.#offers.set(ref.appId, {
      ...offers,
      processed: offers.processed + 1,
      unused: offers.unused + 1,
      lastUnusedMs: nowMs,
      rejected: { ...offers.rejected, [reason]: (offers.rejected[reason] ?? 0) + 1 },
      unusedByAgent: new Map(offers.unusedByAgent).set(offer.agent_id.value, { offer, reason, atMs: nowMs }),
    });
  }

  #put(entry: QueueEntry): void {
    if (entry.count > 0 || !this.#keepsFormer) this.#entries.set(keyOf(entry), entry);
    else this.#entries.delete(keyOf(entry));
  }

  #of(appId: string): readonly QueueEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.appId === appId);
  }
}

function keyOf({ appId, generation }: QueueRef): string {
  return `${appId} ${generation}`;
}

/** A funnel over all offers since the entry came: each counts at every reason up to the one that stopped it. */
export function launchAttemptSummary(offers: OfferStatistics): readonly RejectLine[] {
  return funnel(offers.processed, offers.rejected);
}

/** The same over the newest unfit offer of each agent. */
export function lastOffersSummary(offers: OfferStatistics): readonly RejectLine[] {
  const rejected: Partial<Record<RejectReason, number>> = {};
  for (const { reason } of offers.unusedByAgent.values()) rejected[reason] = (rejected[reason] ?? 0) + 1;
  return funnel(offers.unusedByAgent.size, rejected);
}

function funnel(processed: number, rejected: Readonly<Partial<Record<RejectReason, number>>>): readonly RejectLine[] {
  let left = processed;
  return REJECT_REASONS.map((reason) => {
    const line = { reason, declined: rejected[reason] ?? 0, processed: left };
    left -= line.declined;
    return line;
  });
}
