import { describe, expect, it } from '@jest/globals';
import { killOrder, upgradeOrder } from './kill-order.ts';
import { testApp, testInstance } from './test-apps.ts';

const running = (id: string, second: number, rack = 'r1') =>
  testInstance({
    id,
    taskId: `t-${id}`,
    startedAt: `2026-01-01T00:00:0${second}.000Z`,
    attributes: { hostname: id, rack },
  });
const ids = (chosen: readonly { readonly id: string }[]) => chosen.map(({ id }) => id);

describe('killOrder', () => {
  const three = [running('a', 1), running('b', 3), running('c', 2)];

  it('takes the youngest, or the oldest', () => {
    expect(ids(killOrder(testApp('/x'), three, 2))).toEqual(['b', 'c']);
    expect(ids(killOrder(testApp('/x', { killSelection: 'OLDEST_FIRST' }), three, 2))).toEqual(['a', 'c']);
  });

  it('takes nobody for a count of 0 or less, and all for more than there are', () => {
    expect(killOrder(testApp('/x'), three, 0)).toEqual([]);
    expect(killOrder(testApp('/x'), three, -2)).toEqual([]);
    expect(killOrder(testApp('/x'), three, 9)).toHaveLength(3);
  });

  it('takes those that were named first', () => {
    expect(ids(killOrder(testApp('/x'), three, 2, ['t-a']))).toEqual(['a', 'b']);
    // All of them, though another one is gone already and fewer would do.
    expect(ids(killOrder(testApp('/x'), three, 1, ['t-a', 't-c', 't-gone']))).toEqual(['a', 'c']);
  });

  it('takes the lost before those that start before those that run', () => {
    const lost = testInstance({ id: 'lost', condition: 'Unreachable' });
    const staging = testInstance({ id: 'staging', condition: 'Staging' });
    const starting = testInstance({ id: 'starting', condition: 'Starting' });
    const created = testInstance({ id: 'created', condition: 'Created' });
    const all = [created, ...three, starting, staging, lost];
    expect(ids(killOrder(testApp('/x'), all, 7))).toEqual(['lost', 'staging', 'starting', 'b', 'c', 'a', 'created']);
  });

  it('evens out groups before it looks at age', () => {
    const app = testApp('/x', { constraints: [['rack', 'GROUP_BY']] });
    const uneven = [running('a', 1, 'r1'), running('b', 2, 'r1'), running('c', 3, 'r2'), running('d', 0, 'r1')];
    expect(ids(killOrder(app, uneven, 2))).toEqual(['b', 'a']);
    expect(ids(killOrder(app, uneven, 3))).toEqual(['b', 'a', 'c']);
  });
});

describe('upgradeOrder', () => {
  const waiting = { id: 'w', appId: '/x', version: 'v', generation: 'g', incarnation: 1 };
  const all = [waiting, running('b', 3), running('a', 1), running('c', 2)];

  it('puts what runs longest first, and what only waits last', () => {
    expect(upgradeOrder(all).map(({ id }) => id)).toEqual(['a', 'c', 'b', 'w']);
  });

  it('puts what is not healthy first, and then the youngest, where health is looked at', () => {
    const order = (healthy: readonly string[]) =>
      upgradeOrder(all, ({ id }) => healthy.includes(id)).map(({ id }) => id);
    expect(order(['a', 'b', 'c', 'w'])).toEqual(['w', 'b', 'c', 'a']);
    expect(order(['a', 'c'])).toEqual(['b', 'w', 'c', 'a']);
    expect(order([])).toEqual(['a', 'c', 'b', 'w']);
  });
});
