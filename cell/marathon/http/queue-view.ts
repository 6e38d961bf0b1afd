import type { Attribute, Offer, Range, Resource } from '../../../activities/mesos/types.ts';
import { emitApp } from '../app.ts';
import { type Backoff, launchAllowedAt } from '../backoff.ts';
import { lastOffersSummary, launchAttemptSummary, type OfferStatistics, type QueueEntry } from '../launch-queue.ts';
import type { App } from '../model.ts';

/** One item of `/v2/queue`: what waits, how long it must, and how offers did for it. */
export function emitQueueEntry(
  entry: QueueEntry,
  offers: OfferStatistics,
  app: App,
  backoff: Backoff | undefined,
  options: {
    readonly nowMs: number;
    readonly secondMs: number;
    readonly withOffers: boolean;
    readonly tellsRoles: boolean;
  },
): Record<string, unknown> {
  const { count, sinceMs, allowedSinceMs } = entry;
  const allowedMs = backoff ? launchAllowedAt(backoff) : allowedSinceMs;
  const seconds = Math.trunc((allowedMs - options.nowMs) / options.secondMs);
  const unused = [...offers.unusedByAgent.values()];
  return {
    count,
    ...(options.tellsRoles ? { role: app.role ?? '*' } : {}),
    // Overdue: nothing but a fitting offer is missing, for more than a moment.
    delay: { timeLeftSeconds: Math.max(0, seconds), overdue: seconds < 0 },
    since: time(sinceMs),
    processedOffersSummary: {
      processedOffersCount: offers.processed,
      unusedOffersCount: offers.unused,
      ...(offers.lastUnusedMs === undefined ? {} : { lastUnusedOfferAt: time(offers.lastUnusedMs) }),
      ...(offers.lastUsedMs === undefined ? {} : { lastUsedOfferAt: time(offers.lastUsedMs) }),
      rejectSummaryLastOffers: lastOffersSummary(offers),
      rejectSummaryLaunchAttempt: launchAttemptSummary(offers),
    },
    ...(options.withOffers
      ? {
          lastUnusedOffers: unused.map(({ offer, reason, atMs }) => ({
            offer: emitOffer(offer),
            reason: [reason],
            timestamp: time(atMs),
          })),
        }
      : {}),
    app: emitApp(app),
    ...(app.role === undefined ? {} : { role: app.role }),
  };
}

/** An offer in Marathon's own form (RAML type `Offer`). */
function emitOffer({ id, hostname, agent_id, resources, attributes }: Offer): Record<string, unknown> {
  return {
    id: id.value,
    hostname,
    agentId: agent_id.value,
    resources: resources.map((resource) => ({
      name: resource.name,
      role: resource.role ?? resource.allocation_info?.role ?? '*',
      ...emitValue(resource),
    })),
    attributes: attributes.map((attribute) => ({ name: attribute.name, ...emitValue(attribute) })),
  };
}

function emitValue(value: Resource | Attribute): Record<string, unknown> {
  switch (value.type) {
    case 'SCALAR':
      return { scalar: value.scalar?.value ?? 0 };
    case 'RANGES':
      return { ranges: (value.ranges?.range ?? []).map(({ begin, end }: Range) => ({ begin, end })) };
    case 'SET':
      return { set: value.set?.item ?? [] };
    case 'TEXT':
      return { text: 'text' in value ? (value.text?.value ?? '') : '' };
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
