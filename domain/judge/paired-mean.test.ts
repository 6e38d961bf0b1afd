import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '../../test/simulated-canary.ts';
import {
  logEvidenceAbove,
  logEvidenceBelow,
  logMeanEvidence,
  lowerBound,
  pairedMean,
  upperBound,
} from './paired-mean.ts';

/** Student's sleep data (1908): how much longer each of ten people slept with the second drug. */
const SLEEP = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];

describe('logMeanEvidence', () => {
  it('gives the published Bayes factor 17.25888 for the sleep data', () => {
    // Manual of the R package BayesFactor, ttestBF: paired, Cauchy prior of scale sqrt(2)/2. A Cauchy prior is a normal one
    // whose variance g is inverse gamma with shape 1/2 and scale r^2/2 (Rouder et al., "Bayesian t tests for accepting and
    // rejecting the null hypothesis", 2009), so the published value is ours, averaged over g.
    const paired = { ...pairedMean(SLEEP), effective: SLEEP.length };
    const steps = 4000;
    const width = 24 / steps;
    let average = 0;
    for (let step = 0; step < steps; step++) {
      const g = Math.exp(-12 + (step + 0.5) * width);
      const density = Math.sqrt(0.25 / Math.PI) * g ** -1.5 * Math.exp(-0.25 / g);
      average += Math.exp(logMeanEvidence(paired, 0, g)) * density * g * width;
    }
    expect(average).toBeCloseTo(17.25888, 3);
  });

  it('does not depend on the unit', () => {
    const grown = pairedMean(SLEEP.map((value) => 1000 * value));
    expect(logMeanEvidence(grown, 0)).toBeCloseTo(logMeanEvidence(pairedMean(SLEEP), 0), 10);
  });

  it('is none before the second difference, and without one', () => {
    expect(logMeanEvidence(pairedMean([]), 0)).toBe(0);
    expect(logMeanEvidence(pairedMean([3]), 0)).toBe(0);
    expect(logMeanEvidence(pairedMean([1, 1, 1]), 1)).toBe(0);
    expect(logMeanEvidence(pairedMean([1, 1, 1]), 0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('logEvidenceAbove', () => {
  it('and that of the other side are the whole, in halves', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 40 }), (values) => {
        const paired = pairedMean(values);
        fc.pre(paired.deviation > 1e-6 && paired.effective > 1);
        const above = Math.exp(logEvidenceAbove(paired, 0.5));
        const below = Math.exp(logEvidenceBelow(paired, 0.5));
        const both = Math.exp(logMeanEvidence(paired, 0.5));
        expect((above + below) / 2 / both).toBeCloseTo(1, 9);
      }),
    );
  });

  it('falls as the mean that is held against it rises', () => {
    const paired = pairedMean(SLEEP);
    const evidence = [-2, -1, 0, 1, 1.58, 2, 3].map((expected) => logEvidenceAbove(paired, expected));
    expect(evidence).toEqual(evidence.toSorted((a, b) => b - a));
  });
});

describe('bounds of the mean', () => {
  it('are where the evidence reaches its level', () => {
    const paired = pairedMean(SLEEP);
    expect(logEvidenceAbove(paired, lowerBound(paired, 0.05) ?? Number.NaN)).toBeCloseTo(Math.log(20), 9);
    expect(upperBound({ ...paired, mean: -paired.mean }, 0.05)).toBe(-(lowerBound(paired, 0.05) ?? Number.NaN));
  });

  it('are none while too few differences bound it', () => {
    expect(lowerBound(pairedMean([]), 0.05)).toBeNull();
    expect(lowerBound(pairedMean([1, 2]), 0.01)).toBeNull();
    expect(lowerBound(pairedMean([2, 2, 2]), 0.01)).toBe(2);
  });

  it('hold the true mean at all of 60 looks as often as promised, whatever the noise is', () => {
    for (const deviation of [0.01, 1, 100]) {
      let left = 0;
      for (let run = 0; run < 300; run++) {
        const random = seeded(run + 1);
        const values: number[] = [];
        for (let look = 0; look < 60; look++) {
          values.push(7 + deviation * random.normal());
          if (logEvidenceAbove(pairedMean(values), 7) >= Math.log(20)) {
            left++;
            break;
          }
        }
      }
      expect(left / 300).toBeLessThanOrEqual(0.05);
    }
  });
});

describe('pairedMean', () => {
  it('counts neighbours that resemble each other for less', () => {
    const random = seeded(1);
    let value = 0;
    const drifting = Array.from({ length: 400 }, () => {
      value = 0.8 * value + random.normal();
      return value;
    });
    // (1 - 0.8) / (1 + 0.8) = 1/9 of 400.
    expect(pairedMean(drifting).effective).toBeGreaterThan(400 / 15);
    expect(pairedMean(drifting).effective).toBeLessThan(400 / 6);
    expect(pairedMean(Array.from({ length: 400 }, () => random.normal())).effective).toBeGreaterThan(300);
  });

  it('knows that rounded figures are noisier than they look', () => {
    expect(pairedMean([2, 2, 2], 0.09)).toMatchObject({ mean: 2, deviation: 0.3 });
  });
});
