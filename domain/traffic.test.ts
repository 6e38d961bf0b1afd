import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { achievedShares, MAX_WEIGHT, serverWeights } from './traffic.ts';

/** Shares of two to four revisions with a sum of exactly 100, and servers for each. */
const split = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 })
  .chain((cuts) => {
    const edges = [0, ...cuts.sort((a, b) => a - b), 100];
    const shares = edges.slice(1).map((edge, index) => edge - (edges[index] ?? 0));
    return fc.tuple(fc.constant(shares), fc.array(fc.integer({ min: 1, max: 40 }), sameLength(shares)));
  })
  .map(([shares, servers]) => ({
    shares: Object.fromEntries(shares.map((share, index) => [`r${index + 1}`, share])),
    servers: Object.fromEntries(servers.map((count, index) => [`r${index + 1}`, count])),
  }));

const sameLength = (list: readonly unknown[]) => ({ minLength: list.length, maxLength: list.length });

const errorOf = (shares: Record<string, number>, achieved: Readonly<Record<string, number>>) =>
  Math.max(...Object.entries(shares).map(([revision, share]) => Math.abs(share - (achieved[revision] ?? 0))));

describe('serverWeights', () => {
  it.each([
    ['all to one', { r1: 100 }, { r1: 3 }, { r1: 256 }, { r1: 100 }],
    ['even', { r1: 50, r2: 50 }, { r1: 2, r2: 2 }, { r1: 256, r2: 256 }, { r1: 50, r2: 50 }],
    ['one canary of five', { r1: 90, r2: 10 }, { r1: 4, r2: 1 }, { r1: 252, r2: 112 }, { r1: 90, r2: 10 }],
    ['five percent on one of one', { r1: 95, r2: 5 }, { r1: 1, r2: 1 }, { r1: 247, r2: 13 }, { r1: 95, r2: 5 }],
    [
      'a share of 0 takes all weight away',
      { r1: 0, r2: 100 },
      { r1: 4, r2: 4 },
      { r1: 0, r2: 256 },
      { r1: 0, r2: 100 },
    ],
    ['a revision without a share', { r2: 100 }, { r1: 4, r2: 4 }, { r1: 0, r2: 256 }, { r1: 0, r2: 100 }],
    ['a share of 0 without a server', { r1: 0, r2: 100 }, { r2: 1 }, { r1: 0, r2: 256 }, { r1: 0, r2: 100 }],
  ])('%s', (_name, shares, servers, weights, achieved) => {
    const found = serverWeights(shares, servers);
    expect(found.weights).toEqual(weights);
    for (const [revision, share] of Object.entries(achieved)) expect(found.achieved[revision]).toBeCloseTo(share, 9);
  });

  it('keeps one in 256 where the share would be less, and says so', () => {
    const { weights, achieved } = serverWeights({ r1: 99.9, r2: 0.1 }, { r1: 1, r2: 1 });
    expect(weights).toEqual({ r1: 256, r2: 1 });
    expect(achieved['r2']).toBeCloseTo(100 / 257, 9);
  });

  it.each([
    ['a share below 0', { r1: -5, r2: 105 }, { r1: 1, r2: 1 }, 'the share of r1 is -5'],
    ['no number', { r1: Number.NaN }, { r1: 1 }, 'the share of r1 is NaN'],
    ['another sum', { r1: 50, r2: 49 }, { r1: 1, r2: 1 }, 'come to 99 %'],
    ['no shares', {}, { r1: 1 }, 'come to 0 %'],
    ['no server', { r1: 90, r2: 10 }, { r1: 1 }, 'r2 is to get 10 % and has no server'],
    ['half a server', { r1: 100 }, { r1: 1.5 }, 'r1 has 1.5 servers'],
  ])('refuses %s', (_name, shares: Record<string, number>, servers: Record<string, number>, message) => {
    expect(() => serverWeights(shares, servers)).toThrow(message);
  });

  it('gives whole weights of 1 to 256 to every share above 0', () => {
    fc.assert(
      fc.property(split, ({ shares, servers }) => {
        const { weights, achieved } = serverWeights(shares, servers);
        for (const weight of Object.values(weights)) {
          expect(Number.isInteger(weight)).toBe(true);
          expect(weight).toBeGreaterThanOrEqual(1);
          expect(weight).toBeLessThanOrEqual(MAX_WEIGHT);
        }
        expect(Object.values(achieved).reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 9);
        expect(achieved).toEqual(achievedShares(weights, servers));
      }),
      { numRuns: 60 },
    );
  });

  it('has no better choice for two revisions', () => {
    const pair = fc.record({
      share: fc.integer({ min: 1, max: 99 }),
      r1: fc.integer({ min: 1, max: 60 }),
      r2: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(pair, ({ share, r1, r2 }) => {
        const shares = { r1: share, r2: 100 - share };
        const found = errorOf(shares, serverWeights(shares, { r1, r2 }).achieved);
        let least = Number.POSITIVE_INFINITY;
        for (let first = 1; first <= MAX_WEIGHT; first += 1) {
          for (let second = 1; second <= MAX_WEIGHT; second += 1) {
            const got = (100 * r1 * first) / (r1 * first + r2 * second);
            least = Math.min(least, Math.abs(got - share));
          }
        }
        expect(found).toBeLessThanOrEqual(least + 1e-6);
      }),
      { numRuns: 40 },
    );
  });

  it('is never worse than rounding at the full scale', () => {
    fc.assert(
      fc.property(split, ({ shares, servers }) => {
        const ratios = Object.entries(shares).map(([revision, share]) => share / (servers[revision] ?? 1));
        const rounded = Object.keys(shares).map((revision, index) => {
          const exact = ((ratios[index] ?? 0) / Math.max(...ratios)) * MAX_WEIGHT;
          return [revision, Math.max(1, Math.round(exact))];
        });
        const naive = errorOf(shares, achievedShares(Object.fromEntries(rounded), servers));
        expect(errorOf(shares, serverWeights(shares, servers).achieved)).toBeLessThanOrEqual(naive + 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('does not depend on the order of revisions', () => {
    fc.assert(
      fc.property(split, ({ shares, servers }) => {
        const reversed = Object.fromEntries(Object.entries(shares).reverse());
        expect(serverWeights(reversed, servers)).toEqual(serverWeights(shares, servers));
      }),
      { numRuns: 20 },
    );
  });
});

describe('achievedShares', () => {
  it('counts only servers with a weight', () => {
    expect(achievedShares({ r1: 0, r2: 10 }, { r1: 4, r2: 1 })).toEqual({ r1: 0, r2: 100 });
  });

  it('is empty where nothing serves', () => {
    expect(achievedShares({ r1: 10 }, { r1: 0 })).toEqual({});
    expect(achievedShares({ r1: 0 }, { r1: 3 })).toEqual({});
  });
});
