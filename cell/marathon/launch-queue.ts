import type { Offer } from '../../activities/mesos/types.ts';
import { REJECT_REASONS, type RejectReason } from './offers.ts';

/** An app that has instances to start. */
export interface QueueEntry {
  readonly appId: string;
  /** How many are still to be started. */
  readonly count: number;
  readonly sinceMs: number;
  /** From when on nothing but an offer was missing, unless a delay says otherwise. */
  readonly allowedSinceMs: number;
  readonly offers: OfferStatistics;
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

/**
 * Which apps wait for offers, and how offers did for them. Counts are set by whoever knows what is missing. An entry
 * whose instances are all started is out of sight, but what offers did for it counts on when it comes back, as for an
 * app that keeps crashing; only a purge begins anew.
 */
export class LaunchQueue {
  /** Those with a count of 0 are out of sight. */
  readonly #entries = new Map<string, QueueEntry>();
  #dead = false;
  readonly #counted: (appId: string, count: number) => void;

  /** @param counted is told each count that is set */
  constructor(counted: (appId: string, count: number) => void = () => undefined) {
    this.#counted = counted;
  }

  /** Says how many instances an app has to start; 0 takes it out. True when there is more to do than before. */
  setCount(appId: string, count: number, nowMs: number): boolean {
    if (this.#dead) return false;
    const entry = this.#entries.get(appId);
    const before = entry?.count ?? 0;
    const wanted = Math.max(0, count);
    this.#counted(appId, wanted);
    if (before === wanted) return false;
    if (before === 0) {
      // It queues up at the end again.
      this.#entries.delete(appId);
    }
    this.#entries.set(
      appId,
      entry
        ? { ...entry, count: wanted }
        : { appId, count: wanted, sinceMs: nowMs, allowedSinceMs: nowMs, offers: NO_OFFERS },
    );
    return wanted > before;
  }

  /** From now on nothing comes in, and nothing will ever be started. */
  die(): void {
    this.#dead = true;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Takes an app out and forgets how offers did for it. */
  purge(appId: string): void {
    this.#counted(appId, 0);
    this.#entries.delete(appId);
  }

  /** Notes that a delay of an app was lifted: whether it is overdue counts from here. */
  allowed(appId: string, nowMs: number): void {
    const entry = this.#entries.get(appId);
    if (entry) this.#entries.set(appId, { ...entry, allowedSinceMs: nowMs });
  }

  get(appId: string): QueueEntry | undefined {
    const entry = this.#entries.get(appId);
    return entry && entry.count > 0 ? entry : undefined;
  }

  /** In the order in which they came. */
  entries(): readonly QueueEntry[] {
    return [...this.#entries.values()].filter(({ count }) => count > 0);
  }

  get isEmpty(): boolean {
    return this.entries().length === 0;
  }

  /** Notes that an offer started an instance. */
  used(appId: string, nowMs: number): void {
    const entry = this.get(appId);
    if (!entry) return;
    const { offers } = entry;
    this.#entries.set(appId, {
      ...entry,
      count: entry.count - 1,
      offers: { ...offers, processed: offers.processed + 1, lastUsedMs: nowMs },
    });
  }

  /** Notes that an offer did not fit. */
  rejected(appId: string, offer: Offer, reason: RejectReason, nowMs: number): void {
    const entry = this.get(appId);
    if (!entry) return;
    const { offers } = entry;
    this.#entries.set(appId, {
      ...entry,
      offers: {
        ...offers,
        processed: offers.processed + 1,
        unused: offers.unused + 1,
        lastUnusedMs: nowMs,
        rejected: { ...offers.rejected, [reason]: (offers.rejected[reason] ?? 0) + 1 },
        unusedByAgent: new Map(offers.unusedByAgent).set(offer.agent_id.value, { offer, reason, atMs: nowMs }),
      },
    });
  }
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
