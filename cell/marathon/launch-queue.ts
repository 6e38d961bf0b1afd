import type { Offer } from '../../activities/mesos/types.ts';
import { REJECT_REASONS, type RejectReason } from './offers.ts';

/** An app that has instances to start. */
export interface QueueEntry {
  readonly appId: string;
  /** How many are still to be started. */
  readonly count: number;
  readonly sinceMs: number;
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
  /** The newest outcome for each agent: its reason, or undefined where the offer was taken. */
  readonly byAgent: ReadonlyMap<
    string,
    { readonly offer: Offer; readonly reason: RejectReason | undefined; readonly atMs: number }
  >;
}

/** One line of a reject summary: of those that got so far, how many were stopped here. */
export interface RejectLine {
  readonly reason: RejectReason;
  readonly declined: number;
  readonly processed: number;
}

const NO_OFFERS: OfferStatistics = { processed: 0, unused: 0, rejected: {}, byAgent: new Map() };

/** Which apps wait for offers, and how offers did for them. Counts are set by whoever knows what is missing. */
export class LaunchQueue {
  readonly #entries = new Map<string, QueueEntry>();

  /** Says how many instances an app has to start; 0 takes it out. True when there is more to do than before. */
  setCount(appId: string, count: number, nowMs: number): boolean {
    const entry = this.#entries.get(appId);
    if (count <= 0) {
      this.#entries.delete(appId);
      return false;
    }
    if (entry?.count === count) return false;
    this.#entries.set(appId, entry ? { ...entry, count } : { appId, count, sinceMs: nowMs, offers: NO_OFFERS });
    return count > (entry?.count ?? 0);
  }

  get(appId: string): QueueEntry | undefined {
    return this.#entries.get(appId);
  }

  /** In the order in which they came. */
  entries(): readonly QueueEntry[] {
    return [...this.#entries.values()];
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Notes that an offer started an instance. */
  used(appId: string, offer: Offer, nowMs: number): void {
    const entry = this.#entries.get(appId);
    if (!entry) return;
    const { offers } = entry;
    this.#entries.set(appId, {
      ...entry,
      count: entry.count - 1,
      offers: {
        ...offers,
        processed: offers.processed + 1,
        lastUsedMs: nowMs,
        byAgent: new Map(offers.byAgent).set(offer.agent_id.value, { offer, reason: undefined, atMs: nowMs }),
      },
    });
    if (entry.count <= 1) this.#entries.delete(appId);
  }

  /** Notes that an offer did not fit. */
  rejected(appId: string, offer: Offer, reason: RejectReason, nowMs: number): void {
    const entry = this.#entries.get(appId);
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
        byAgent: new Map(offers.byAgent).set(offer.agent_id.value, { offer, reason, atMs: nowMs }),
      },
    });
  }
}

/** A funnel over all offers since the entry came: each counts at every reason up to the one that stopped it. */
export function launchAttemptSummary(offers: OfferStatistics): readonly RejectLine[] {
  return funnel(offers.processed, offers.rejected);
}

/** The same over the newest offer of each agent. */
export function lastOffersSummary(offers: OfferStatistics): readonly RejectLine[] {
  const rejected: Partial<Record<RejectReason, number>> = {};
  for (const { reason } of offers.byAgent.values()) if (reason) rejected[reason] = (rejected[reason] ?? 0) + 1;
  return funnel(offers.byAgent.size, rejected);
}

function funnel(processed: number, rejected: Readonly<Partial<Record<RejectReason, number>>>): readonly RejectLine[] {
  let left = processed;
  return REJECT_REASONS.map((reason) => {
    const line = { reason, declined: rejected[reason] ?? 0, processed: left };
    left -= line.declined;
    return line;
  });
}
