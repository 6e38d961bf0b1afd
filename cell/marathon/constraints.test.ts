import { describe, expect, it } from '@jest/globals';
import { constraintProblem, decimalText, type Placement, satisfies } from './constraints.ts';

const agent: Placement = { hostname: 'h1', rack: 'r1', env: 'prod', num: '3.5', build: '3.50' };
const at = (rack: string, hostname = 'h9'): Placement => ({ hostname, rack });

describe('satisfies', () => {
  it.each<[string, readonly string[], readonly Placement[], boolean]>([
    ['UNIQUE: nothing there', ['hostname', 'UNIQUE'], [], true],
    ['UNIQUE: another host', ['hostname', 'UNIQUE'], [at('r1', 'h2')], true],
    ['UNIQUE: the same host', ['hostname', 'UNIQUE'], [at('r1', 'h1')], false],
    ['UNIQUE: with an at sign', ['@hostname', 'UNIQUE'], [at('r1', 'h1')], false],
    ['UNIQUE: by attribute', ['rack', 'UNIQUE'], [at('r1')], false],
    ['CLUSTER: the value', ['rack', 'CLUSTER', 'r1'], [at('r2')], true],
    ['CLUSTER: another value', ['rack', 'CLUSTER', 'r2'], [], false],
    ['CLUSTER: anything first', ['rack', 'CLUSTER'], [], true],
    ['CLUSTER: where the first is', ['rack', 'CLUSTER'], [at('r1')], true],
    ['CLUSTER: not elsewhere', ['rack', 'CLUSTER'], [at('r2')], false],
    ['LIKE: the whole value', ['env', 'LIKE', '^prod$'], [], true],
    ['LIKE: an expression', ['rack', 'LIKE', 'r[12]'], [], true],
    ['LIKE: a part only', ['env', 'LIKE', 'pro'], [], false],
    ['LIKE: an alternative does not loosen the ends', ['env', 'LIKE', 'pro|uat'], [], false],
    ['UNLIKE: another value', ['env', 'UNLIKE', 'uat'], [], true],
    ['UNLIKE: the value', ['env', 'UNLIKE', 'p.*'], [], false],
    ['MAX_PER: room', ['rack', 'MAX_PER', '2'], [at('r1'), at('r2'), at('r2')], true],
    ['MAX_PER: full', ['rack', 'MAX_PER', '2'], [at('r1'), at('r1')], false],
    ['IS: text', ['env', 'IS', 'prod'], [], true],
    ['IS: other text', ['env', 'IS', 'uat'], [], false],
    ['IS: a number', ['num', 'IS', '3.50'], [], true],
    ['IS: a number is none of text', ['env', 'IS', '3.5'], [], false],
    ['IS: digits as text, not as a number', ['build', 'IS', '3.50'], [], false],
    ['IS: without a value', ['env', 'IS'], [], false],
    ['LIKE: flags of the whole expression', ['env', 'LIKE', '(?i)PROD'], [], true],
    ['CLUSTER: the first is nowhere', ['rack', 'CLUSTER'], [{ hostname: 'h2' }, at('r1')], false],
    ['MAX_PER: those without the field are no matter', ['rack', 'MAX_PER', '1'], [{ hostname: 'h2' }], true],
    ['GROUP_BY: those without the field are a group', ['rack', 'GROUP_BY', '2'], [at('r1'), { hostname: 'h' }], true],
    ['GROUP_BY: first', ['rack', 'GROUP_BY'], [], true],
    ['GROUP_BY: a new group', ['rack', 'GROUP_BY'], [at('r2')], true],
    ['GROUP_BY: the smallest group', ['rack', 'GROUP_BY'], [at('r1'), at('r2'), at('r2')], true],
    ['GROUP_BY: equal groups', ['rack', 'GROUP_BY'], [at('r1'), at('r2')], true],
    ['GROUP_BY: a larger group', ['rack', 'GROUP_BY'], [at('r1'), at('r1'), at('r2')], false],
    ['GROUP_BY: too few groups yet', ['rack', 'GROUP_BY', '2'], [at('r1')], false],
    ['GROUP_BY: enough groups', ['rack', 'GROUP_BY', '2'], [at('r1'), at('r2')], true],
  ])('%s', (_name, constraint, placed, expected) => {
    expect(satisfies(constraint, agent, placed)).toBe(expected);
  });

  it.each(['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'MAX_PER', 'IS'])('%s needs the field', (operator) => {
    expect(satisfies(['missing', operator, '1'], agent, [])).toBe(false);
  });

  it('UNLIKE does without the field', () => {
    expect(satisfies(['missing', 'UNLIKE', '.*'], agent, [])).toBe(true);
  });
});

describe('decimalText', () => {
  it.each([
    [3.5, '3.5'],
    [4, '4'],
    // The exact binary values: below a tie, above a tie, ties.
    [1.0005, '1'],
    [1.1005, '1.101'],
    [0.0625, '0.062'],
    [0.1875, '0.188'],
  ])('writes %d as %s', (value, text) => {
    expect(decimalText(value)).toBe(text);
  });
});

describe('constraintProblem', () => {
  it.each([
    [['hostname', 'UNIQUE']],
    [['a', 'GROUP_BY', 'inf']],
    [['a', 'IS']],
    [['a', 'MAX_PER', '3']],
    [['a', 'LIKE', '(?i)a']],
  ])('takes %j', (constraint) => {
    expect(constraintProblem(constraint)).toBeUndefined();
  });

  it.each([
    [['a'], '2 or 3 fields'],
    [['a', 'LIKE', 'b', 'c'], '2 or 3 fields'],
    [['a', 'NOPE'], 'operator must be one of'],
    [['a', 'UNIQUE', 'x'], 'does not accept a value'],
    [['a', 'MAX_PER'], 'integer'],
    [['a', 'GROUP_BY', 'x'], 'integer value or else no value'],
    [['a', 'LIKE'], 'non-empty'],
    [['a', 'LIKE', '('], 'not a valid regular expression'],
    [['a', 'LIKE', 'a++'], 'not a valid regular expression'],
    [['a', 'IS', 'a b'], 'text and float'],
  ])('refuses %j', (constraint, reason) => {
    expect(constraintProblem(constraint)).toContain(reason);
  });
});

it.each([
  ['an empty rack', [], 'r1', true],
  ['one that has its share', ['r1'], 'r1', true],
  ['one that has the share and what is left over', ['r1', 'r1'], 'r1', false],
  ['one beside that', ['r1', 'r1', 'r2'], 'r2', false],
])('1.11 shares 4 instances among 3 groups: %s', (_what, placed, rack, fits) => {
  const others = placed.map((name) => ({ rack: name }));
  expect(satisfies(['rack', 'GROUP_BY', '3'], { rack }, others, { instances: 4 })).toBe(fits);
});
