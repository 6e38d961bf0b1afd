/** Who is offered what, as a pure function of what is free and who wants it. */
import { type Amounts, add, contains, NOTHING } from './resources.ts';

/** An agent that may be offered. */
export interface FreeAgent {
  readonly id: string;
  readonly free: Amounts;
}

/** One role of one framework that wants offers. */
export interface Claim {
  readonly frameworkId: string;
  readonly role: string;
  /** What the framework uses and has on offer already. */
  readonly holds: Amounts;
}

/** Resources that a role of a framework refused on an agent, until `until` (ms). */
export interface RefusedOffer {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly amounts: Amounts;
  readonly until: number;
}

export interface Allocation {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly amounts: Amounts;
}

export interface AllocationInput {
  readonly agents: readonly FreeAgent[];
  readonly claims: readonly Claim[];
  /** Of the whole cluster. */
  readonly total: Amounts;
  readonly refused: readonly RefusedOffer[];
  readonly now: number;
}

/** Mesos' default `min_allocatable_resources`: less than both is not worth an offer. */
const MIN_CPUS = 0.01;
const MIN_MEM = 32;

/**
 * Gives each agent's free resources, whole, to the claim with the smallest dominant share that has not refused them
 * (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011, without weights and quotas); what it gets counts for the
 * next agent. A refusal covers an offer that is no larger than the refused one, as Mesos' RefusedOfferFilter does.
 */
export function allocate(input: AllocationInput): Allocation[] {
  const held = new Map(input.claims.map((claim) => [claim.frameworkId, claim.holds]));
  const share = (claim: Claim) => dominantShare(held.get(claim.frameworkId) ?? NOTHING, input.total);
  const allocations: Allocation[] = [];
  for (const agent of input.agents) {
    if (!isWorthOffering(agent.free)) continue;
    const willing = input.claims.filter((claim) => !isRefused(input, claim, agent));
    if (willing.length === 0) continue;
    const claim = willing.reduce((best, next) => (share(next) < share(best) ? next : best));
    allocations.push({ frameworkId: claim.frameworkId, role: claim.role, agentId: agent.id, amounts: agent.free });
    held.set(claim.frameworkId, add(held.get(claim.frameworkId) ?? NOTHING, agent.free));
  }
  return allocations;
}

/** The largest share of any scalar resource. */
export function dominantShare(holds: Amounts, total: Amounts): number {
  return Math.max(
    0,
    ...[...total.scalars].map(([name, value]) => (value === 0 ? 0 : (holds.scalars.get(name) ?? 0) / value)),
  );
}

function isWorthOffering(free: Amounts): boolean {
  return (free.scalars.get('cpus') ?? 0) >= MIN_CPUS || (free.scalars.get('mem') ?? 0) >= MIN_MEM;
}

function isRefused(input: AllocationInput, claim: Claim, agent: FreeAgent): boolean {
  return input.refused.some(
    (refusal) =>
      refusal.until > input.now &&
      refusal.frameworkId === claim.frameworkId &&
      refusal.role === claim.role &&
      refusal.agentId === agent.id &&
      contains(refusal.amounts, agent.free),
  );
}
