import { describe, expect, it } from '@jest/globals';
import { type ServiceFacts, wishForLoad } from './wish.ts';

const FACTS: ServiceFacts = {
  bounds: { min: 2, max: 10, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 },
  instances: 4,
  load: { requestsPerSecond: 80, seconds: 15 },
  windowSeconds: 15,
};

describe('wishForLoad', () => {
  it.each<[string, Partial<ServiceFacts>, number | null, string]>([
    ['at the target', {}, 4, '80.0 requests/s on 4 instances is within 10 % of 20 each'],
    [
      'twice the load',
      { load: { requestsPerSecond: 160, seconds: 15 } },
      8,
      '160.0 requests/s at 20 each ask for 8 instances, not 4',
    ],
    [
      'no load',
      { load: { requestsPerSecond: 0, seconds: 15 } },
      0,
      '0.0 requests/s at 20 each ask for 0 instances, not 4',
    ],
    [
      'beyond the maximum, which the lane applies',
      { load: { requestsPerSecond: 1000, seconds: 15 } },
      50,
      '1000.0 requests/s at 20 each ask for 50 instances, not 4',
    ],
    [
      'a window with figures of a third',
      { load: { requestsPerSecond: 0, seconds: 5.02 } },
      4,
      'figures for only 5 of the last 15 s, so it stays as it is',
    ],
  ])('%s', (_, facts, wish, because) => {
    expect(wishForLoad({ ...FACTS, ...facts })).toEqual({ wish, because });
  });

  it('stays as it is without figures', () => {
    const { load: _, ...facts } = FACTS;
    expect(wishForLoad(facts)).toEqual({ wish: 4, because: 'no figures of its load, so it stays as it is' });
  });

  it('says nothing while a release holds the lane, and before the first one', () => {
    expect(wishForLoad({ ...FACTS, holder: 'release/sample/1' })).toEqual({
      wish: null,
      because: 'release/sample/1 holds the lane',
    });
    const { instances: _, ...facts } = FACTS;
    expect(wishForLoad(facts)).toEqual({ wish: null, because: 'nothing serves yet' });
  });
});
