/** How often, and with what chance, a fault hits what it is meant for; pure. */

/** What every kind of fault may say of itself. */
export interface Rule {
  /** How many it hits; without end when absent. */
  readonly times?: number | undefined;
  /** How many it lets pass first. */
  readonly skip: number;
  /** Of each that is left, from 0 to 1. */
  readonly probability: number;
}

/** What a rule has seen so far. */
export interface Tally {
  /** Those it is meant for. */
  readonly matched: number;
  /** Those it hit. */
  readonly hits: number;
}

export const UNTOUCHED: Tally = { matched: 0, hits: 0 };

export interface Choice<R extends Rule> {
  /** The first rule that hits. */
  readonly fault: R | undefined;
  /** Of every rule, afterwards. */
  readonly tallies: readonly Tally[];
}

/**
 * Asks the rules in their order. One that is spent, lets pass or has no luck leaves the matter to the next, so a rule
 * for the first three and one for all others can stand side by side.
 *
 * @param concerns whether a rule is meant for it at all
 */
export function choose<R extends Rule>(
  rules: readonly R[],
  tallies: readonly Tally[],
  seed: number,
  concerns: (rule: R) => boolean,
): Choice<R> {
  const after = rules.map((_, index) => tallies[index] ?? UNTOUCHED);
  for (const [index, rule] of rules.entries()) {
    const { matched, hits } = after[index] ?? UNTOUCHED;
    if (!concerns(rule) || hits >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
    const hit = matched >= rule.skip && chance(seed, index, matched) < rule.probability;
    after[index] = { matched: matched + 1, hits: hits + (hit ? 1 : 0) };
    if (hit) return { fault: rule, tallies: after };
  }
  return { fault: undefined, tallies: after };
}

/**
 * A number from 0 up to 1 that depends on nothing but these three, so a test that is run again sees the same faults:
 * the finaliser of MurmurHash3 (Appleby, public domain), which spreads neighbouring inputs over the whole range.
 */
export function chance(seed: number, rule: number, matched: number): number {
  let hash = (seed ^ Math.imul(rule + 1, 0x9e37_79b1) ^ Math.imul(matched + 1, 0x85eb_ca77)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
