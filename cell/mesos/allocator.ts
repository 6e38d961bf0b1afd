/** Who is offered what, as a pure function of what is free and who wants it. */
import { type Amounts, add, allocatableTo, contains, NOTHING, subtract, together } from './resources.ts';

/** An agent that may be offered. */
export interface FreeAgent {
  readonly id: string;
  readonly free: Amounts;
}

/** One role of one framework. */
export interface Claim {
  readonly frameworkId: string;
  readonly role: string;
  /** What the framework uses of this role and has on offer already. */
  readonly holds: Amounts;
  /** False: it gets nothing, but what it holds counts for its role. */
  readonly wants: boolean;
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
 * Gives each agent's free resources to the role with the smallest dominant share, and in it to the framework with the
 * smallest, unless that one has refused them (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011, without weights
 * and quotas). It gets all that nothing is reserved of, and what is reserved for its role; what is reserved for others
 * goes to them. What is given counts for the next agent. A refusal covers an offer that is no larger than the refused
 * one, as Mesos' RefusedOfferFilter does.
 */
export function allocate(input: AllocationInput): Allocation[] {
  const total = together(input.total);
  const byRole = new Map<string, Amounts>();
  const byClaim = new Map<Claim, Amounts>();
  const hold = (claim: Claim, amounts: Amounts) => {
    byRole.set(claim.role, add(byRole.get(claim.role) ?? NOTHING, amounts));
    byClaim.set(claim, add(byClaim.get(claim) ?? NOTHING, amounts));
  };
  for (const claim of input.claims) hold(claim, together(claim.holds));
  const wanting = input.claims.filter(({ wants }) => wants);
  const share = (amounts: Amounts | undefined) => dominantShare(amounts ?? NOTHING, total);
  const allocations: Allocation[] = [];
  for (const agent of input.agents) {
    let free = agent.free;
    const order = wanting
      .map((claim) => ({ claim, role: share(byRole.get(claim.role)), own: share(byClaim.get(claim)) }))
      .sort((a, b) => a.role - b.role || a.own - b.own);
    for (const { claim } of order) {
      const amounts = allocatableTo(free, claim.role);
      if (!isWorthOffering(together(amounts)) || isRefused(input, claim, agent.id, amounts)) continue;
      allocations.push({ frameworkId: claim.frameworkId, role: claim.role, agentId: agent.id, amounts });
      hold(claim, together(amounts));
      free = subtract(free, amounts);
    }
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

function isRefused({ refused, now }: AllocationInput, claim: Claim, agentId: string, amounts: Amounts): boolean {
  return refused.some(
    (refusal) =>
      refusal.until > now &&
      refusal.frameworkId === claim.frameworkId &&
      refusal.role === claim.role &&
      refusal.agentId === agentId &&
      contains(refusal.amounts, amounts),
  );
}
