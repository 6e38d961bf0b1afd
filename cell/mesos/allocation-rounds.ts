/** When offers are made: each interval, and at once when something changed that may matter. */

import { isTerminal } from '../../activities/mesos/types.ts';
import { type AgentEntry, isActive, machineIdOf } from './agent-entry.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { allocate, type RefusedOffer } from './allocator.ts';
import type { Framework } from './framework.ts';
import type { InverseOffers } from './inverse-offers.ts';
import { type Maintenance, machineOf, type Unavailability } from './maintenance.ts';
import type { OfferBook, OutstandingOffer } from './offer-book.ts';
import { type Amounts, add, NOTHING, subtract } from './resources.ts';

/** What a round looks at: who is there, what each holds and what is offered. */
export interface Cluster {
  readonly agents: ReadonlyMap<string, AgentEntry>;
  readonly frameworks: ReadonlyMap<string, Framework>;
  readonly offers: OfferBook;
  readonly inverseOffers: InverseOffers;
  readonly registry: AgentRegistry;
  readonly maintenance: Maintenance;
  /** What the tasks of a framework hold on all agents. */
  usedBy(framework: Framework, role?: string): Amounts;
  /** An agent that is not to be offered. */
  isWithheld(agentId: string): boolean;
}

export class AllocationRounds {
  readonly #cluster: Cluster;
  #refused: RefusedOffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #wanted = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  start(intervalMs: number): void {
    this.#timer = setInterval(() => this.run(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A framework does not want this much of the offer's agent again for a while. */
  refuse(offer: OutstandingOffer, amounts: Amounts, seconds: number): void {
    const { frameworkId, role, agentId } = offer;
    this.#refused.push({ frameworkId, role, agentId, amounts, until: Date.now() + seconds * 1000 });
  }

  /** Forgets what a framework refused, of these roles or of all. */
  forget(framework: string, roles?: readonly string[]): void {
    this.#refused = this.#refused.filter(
      ({ frameworkId, role }) => frameworkId !== framework || roles?.includes(role) === false,
    );
  }

  /** A round after what is being done now. */
  soon(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    setImmediate(() => {
      this.#wanted = false;
      this.run();
    });
  }

  run(): void {
    const { agents, frameworks, offers, registry } = this.#cluster;
    const now = Date.now();
    this.#refused = this.#refused.filter(({ until }) => until > now);
    const active = [...agents.values()].filter(
      (entry) => isActive(entry, registry.get(entry.link.id)) && !this.#cluster.isWithheld(entry.link.id),
    );
    const wants = (framework: Framework, role: string) => framework.connected && !framework.suppressed.has(role);
    const isWanted = [...frameworks.values()].some((each) => each.roles.some((role) => wants(each, role)));
    const claims = !isWanted
      ? []
      : [...frameworks.values()].flatMap((framework) =>
          framework.roles.map((role) => ({
            frameworkId: framework.id,
            role,
            holds: add(this.#cluster.usedBy(framework, role), offers.on({ frameworkId: framework.id, role })),
            wants: wants(framework, role),
          })),
        );
    const given = allocate({
      agents: active.map(({ link, used }) => ({
        id: link.id,
        free: subtract(subtract(link.total, used), offers.on({ agentId: link.id })),
      })),
      claims,
      total: [...agents.values()].reduce((sum, { link }) => add(sum, link.total), NOTHING),
      refused: this.#refused,
      now,
    });
    for (const [frameworkId, allocations] of Map.groupBy(given, (allocation) => allocation.frameworkId)) {
      const made = allocations.flatMap((allocation) => {
        const entry = agents.get(allocation.agentId);
        const refined = frameworks.get(frameworkId)?.has('RESERVATION_REFINEMENT') === true;
        const how = {
          unavailability: entry && this.#unavailabilityOf(entry),
          format: refined ? 'books' : 'role',
        } as const;
        return entry === undefined ? [] : offers.make(allocation, entry.link, how);
      });
      frameworks.get(frameworkId)?.tell({ type: 'OFFERS', offers: { offers: made } });
    }
    this.#askToLeave(active, now);
  }

  /** Those who use or are offered something of an agent with maintenance ahead, unless they were asked already. */
  #askToLeave(active: readonly AgentEntry[], now: number): void {
    const { frameworks, offers, inverseOffers } = this.#cluster;
    const ahead = active.filter((entry) => this.#unavailabilityOf(entry) !== undefined);
    for (const framework of ahead.length === 0 ? [] : frameworks.values()) {
      if (!framework.connected) continue;
      const asked = ahead.flatMap((entry) => {
        const { link } = entry;
        const unavailability = this.#unavailabilityOf(entry);
        const concerned =
          offers.list({ frameworkId: framework.id, agentId: link.id }).length > 0 ||
          [...framework.tasks.values()].some(({ agentId, state }) => agentId === link.id && !isTerminal(state));
        if (unavailability === undefined || !concerned || !inverseOffers.mayAsk(framework.id, link.id, now)) return [];
        return inverseOffers.make(offers.nextId(), framework.id, link, unavailability);
      });
      if (asked.length === 0) continue;
      framework.tell({ type: 'INVERSE_OFFERS', inverse_offers: { inverse_offers: asked } });
    }
  }

  #unavailabilityOf({ link }: AgentEntry): Unavailability | undefined {
    return machineOf(this.#cluster.maintenance, machineIdOf(link))?.unavailability;
  }
}
