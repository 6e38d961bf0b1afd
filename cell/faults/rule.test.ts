import { describe, expect, it } from '@jest/globals';
import { chance, choose, type Rule, type Tally } from './rule.ts';

const rule = (change: Partial<Rule> = {}): Rule => ({ skip: 0, probability: 1, ...change });

/** Which of the rules hits each of so many, by index; -1 where none does. */
function hits(rules: readonly Rule[], many: number, seed = 1): number[] {
  let tallies: readonly Tally[] = [];
  return Array.from({ length: many }, () => {
    const choice = choose(rules, tallies, seed, () => true);
    ({ tallies } = choice);
    return choice.fault === undefined ? -1 : rules.indexOf(choice.fault);
  });
}

describe('choose', () => {
  it.each([
    ['without a limit, all', [rule()], [0, 0, 0, 0]],
    ['the first two', [rule({ times: 2 })], [0, 0, -1, -1]],
    ['after the first two', [rule({ skip: 2 })], [-1, -1, 0, 0]],
    ['the third alone', [rule({ skip: 2, times: 1 })], [-1, -1, 0, -1]],
    ['none, of a rule without luck', [rule({ probability: 0 })], [-1, -1, -1, -1]],
    ['the next rule, when the first is spent', [rule({ times: 1 }), rule({ times: 2 })], [0, 1, 1, -1]],
    ['the next rule, while the first lets pass', [rule({ skip: 2 }), rule()], [1, 1, 0, 0]],
    ['nothing without rules', [], [-1, -1, -1, -1]],
  ])('hits %s', (_, rules, expected) => {
    expect(hits(rules, 4)).toEqual(expected);
  });

  it('counts only what a rule is meant for, and a later rule only what the earlier left', () => {
    const rules = [rule({ times: 1 }), rule()];
    const none = choose(rules, [], 1, () => false);
    expect(none).toEqual({
      fault: undefined,
      tallies: [
        { matched: 0, hits: 0 },
        { matched: 0, hits: 0 },
      ],
    });
    const first = choose(rules, none.tallies, 1, () => true);
    const second = choose(rules, first.tallies, 1, () => true);
    expect(second.tallies).toEqual([
      { matched: 1, hits: 1 },
      { matched: 1, hits: 1 },
    ]);
  });

  it('hits as often as its chance says, the same ones for the same seed', () => {
    const of = (seed: number) => hits([rule({ probability: 0.3 })], 10_000, seed);
    const share = of(7).filter((index) => index === 0).length / 10_000;
    expect(share).toBeGreaterThan(0.28);
    expect(share).toBeLessThan(0.32);
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });
});

describe('chance', () => {
  it('lies from 0 up to 1 and differs from rule to rule', () => {
    const values = [0, 1, 2].flatMap((index) => [0, 1, 2].map((matched) => chance(-5, index, matched)));
    for (const value of values) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
    }
    expect(new Set(values).size).toBe(values.length);
  });
});
