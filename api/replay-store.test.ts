import { describe, expect, it } from '@jest/globals';
import { ReplayStore } from './replay-store.ts';

describe('the replay store', () => {
  it('takes an id once in the time it keeps', () => {
    const store = new ReplayStore(600);
    expect(store.claim('a', 1000)).toBe(true);
    expect(store.claim('a', 1000)).toBe(false);
    expect(store.claim('b', 1300)).toBe(true);
    expect(store.claim('a', 1600)).toBe(false);
    expect(store.claim('a', 1601)).toBe(true);
  });

  it('forgets what is too old to matter', () => {
    const store = new ReplayStore(600);
    for (let second = 0; second < 10_000; second += 1) store.claim(`id-${second}`, second);
    expect(store.size).toBe(601);
  });

  it('takes an id again that was given free', () => {
    const store = new ReplayStore(600);
    store.claim('a', 0);
    store.release('a');
    expect(store.claim('a', 0)).toBe(true);
  });
});
