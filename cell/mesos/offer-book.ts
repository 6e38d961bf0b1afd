/** The offers that are out. */
import type { Offer, Resource } from '../../activities/mesos/types.ts';
import type { Allocation } from './allocator.ts';
import type { AgentLink } from './link.ts';
import type { Unavailability } from './maintenance.ts';
import { type Amounts, add, NOTHING, resourcesOf } from './resources.ts';

export interface OutstandingOffer extends Allocation {
  readonly id: string;
  /** As the framework was told. */
  readonly offer: Offer;
}

/** Which offers: all that match every given field. */
interface Which {
  readonly frameworkId?: string;
  readonly agentId?: string;
  readonly role?: string;
}

export class OfferBook {
  readonly #prefix: string;
  readonly #offers = new Map<string, OutstandingOffer>();
  #next = 0;

  /** @param prefix of every offer id: the master's id */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** An id for an offer or an inverse offer: they share their numbers. */
  nextId(): string {
    this.#next += 1;
    return `${this.#prefix}-O${this.#next - 1}`;
  }

  /** Writes an allocation down as an offer, and gives it as the framework is told. */
  make(
    allocation: Allocation,
    agent: AgentLink,
    {
      unavailability,
      format,
    }: { readonly unavailability: Unavailability | undefined; readonly format: 'books' | 'role' },
  ): Offer {
    const id = this.nextId();
    const offer: Offer = {
      id: { value: id },
      framework_id: { value: allocation.frameworkId },
      agent_id: { value: agent.id },
      hostname: agent.hostname,
      url: agentUrl(agent),
      resources: resourcesOf(allocation.amounts, { format, allocatedTo: allocation.role, asOffered: true }),
      attributes: agent.attributes,
      ...(unavailability === undefined ? {} : { unavailability }),
      allocation_info: { role: allocation.role },
    };
    this.#offers.set(id, { ...allocation, id, offer });
    return offer;
  }

  get(id: string): OutstandingOffer | undefined {
    return this.#offers.get(id);
  }

  take(id: string): OutstandingOffer | undefined {
    const offer = this.#offers.get(id);
    this.#offers.delete(id);
    return offer;
  }

  takeAll(which: Which): OutstandingOffer[] {
    const taken = this.list(which);
    for (const { id } of taken) this.#offers.delete(id);
    return taken;
  }

  list(which: Which = {}): OutstandingOffer[] {
    return [...this.#offers.values()].filter(
      ({ frameworkId, agentId, role }) =>
        (which.frameworkId === undefined || which.frameworkId === frameworkId) &&
        (which.agentId === undefined || which.agentId === agentId) &&
        (which.role === undefined || which.role === role),
    );
  }

  /** The sum of what is offered. */
  on(which: Which): Amounts {
    return this.list(which).reduce((sum, { amounts }) => add(sum, amounts), NOTHING);
  }
}

/** The resources of offers as operators see them. */
export function offeredResources(offers: readonly OutstandingOffer[], format: 'books' | 'both'): Resource[] {
  return offers.flatMap(({ amounts, role }) => resourcesOf(amounts, { format, allocatedTo: role, asOffered: true }));
}

/** Where an agent answers, as offers show it. */
export function agentUrl({ hostname, ip, port }: AgentLink): NonNullable<Offer['url']> {
  return { scheme: 'http', address: { hostname, ip, port }, path: '/slave(1)' };
}
