/** Inverse offers: how frameworks are asked to leave a machine, and what they said to it. */
import type { InverseOffer } from '../../activities/mesos/types.ts';
import type { AgentLink } from './link.ts';
import type { Unavailability } from './maintenance.ts';
import { agentUrl } from './offer-book.ts';

/** As GET_MAINTENANCE_STATUS tells it. */
export interface InverseOfferStatus {
  readonly status: 'ACCEPT' | 'DECLINE';
  readonly framework_id: { readonly value: string };
  readonly timestamp: { readonly nanoseconds: number };
}

interface OutstandingInverseOffer extends InverseOffer {
  readonly agent_id: { readonly value: string };
}

/** Which: all that match every given field. */
interface Which {
  readonly frameworkId?: string;
  readonly agentId?: string;
}

/** Kept in memory only: a new master asks everybody anew, as Mesos does. */
export class InverseOffers {
  readonly #outstanding = new Map<string, OutstandingInverseOffer>();
  /** The newest answer of each framework, by agent. */
  readonly #statuses = new Map<string, Map<string, InverseOfferStatus>>();
  #filters: { readonly frameworkId: string; readonly agentId: string; readonly until: number }[] = [];

  /** True when a framework may be asked to leave an agent: it is not being asked, and did not answer just now. */
  mayAsk(frameworkId: string, agentId: string, now: number): boolean {
    if (this.#list({ frameworkId, agentId }).length > 0) return false;
    return !this.#filters.some(
      (filter) => filter.frameworkId === frameworkId && filter.agentId === agentId && filter.until > now,
    );
  }

  /** @param id not used by any offer of this master */
  make(id: string, frameworkId: string, agent: AgentLink, unavailability: Unavailability): InverseOffer {
    const offer = {
      id: { value: id },
      url: agentUrl(agent),
      framework_id: { value: frameworkId },
      agent_id: { value: agent.id },
      unavailability,
    };
    this.#outstanding.set(id, offer);
    return offer;
  }

  /** Notes the answer to one; false when it is not outstanding, or not this framework's. */
  answer(frameworkId: string, id: string, status: InverseOfferStatus['status'], refuseSeconds: number): boolean {
    const offer = this.#outstanding.get(id);
    if (offer?.framework_id.value !== frameworkId) return false;
    this.#outstanding.delete(id);
    const agentId = offer.agent_id.value;
    const now = Date.now();
    const ofAgent = this.#statuses.get(agentId) ?? new Map<string, InverseOfferStatus>();
    ofAgent.set(frameworkId, { status, framework_id: offer.framework_id, timestamp: { nanoseconds: now * 1e6 } });
    this.#statuses.set(agentId, ofAgent);
    this.#filters = this.#filters.filter(({ until }) => until > now);
    this.#filters.push({ frameworkId, agentId, until: now + refuseSeconds * 1000 });
    return true;
  }

  /** Takes those that match away, and gives them. */
  takeAll(which: Which): InverseOffer[] {
    const taken = this.#list(which);
    for (const { id } of taken) this.#outstanding.delete(id.value);
    return taken;
  }

  statusesOf(agentId: string): InverseOfferStatus[] {
    return [...(this.#statuses.get(agentId)?.values() ?? [])];
  }

  /** What was said of an agent counts no more: its maintenance changed. */
  forgetAgent(agentId: string): void {
    this.#statuses.delete(agentId);
    this.#filters = this.#filters.filter((filter) => filter.agentId !== agentId);
  }

  /** A framework has a new start: it may be asked again at once. */
  forgetFilters(frameworkId: string): void {
    this.#filters = this.#filters.filter((filter) => filter.frameworkId !== frameworkId);
  }

  #list({ frameworkId, agentId }: Which): OutstandingInverseOffer[] {
    return [...this.#outstanding.values()].filter(
      (offer) =>
        (frameworkId === undefined || frameworkId === offer.framework_id.value) &&
        (agentId === undefined || agentId === offer.agent_id.value),
    );
  }
}
