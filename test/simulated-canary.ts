import type { Interval, IntervalFigures, JudgeInputs } from '../domain/judge/inputs.ts';
import type { JudgePolicy } from '../domain/manifest.ts';

/** Draws that are the same for the same seed. */
export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** Mean 0, standard deviation 1. */
  normal(): number;
  poisson(mean: number): number;
}

/** One side of a simulated canary. */
export interface Arm {
  readonly requestsPerSecond: number;
  /** Share of errors, 0..1. */
  readonly errors: number;
  /** Mean time to an answer. Default 50. */
  readonly latencyMs?: number;
  /** Standard deviation of the logarithm of what multiplies its errors, anew in each interval. Default 0. */
  readonly errorNoise?: number;
  /** The same for its times. Default 0.25. */
  readonly latencyNoise?: number;
}

export interface SimulatedCanary {
  readonly policy: JudgePolicy;
  readonly canary: Arm;
  readonly baseline: Arm;
  /** Instances of the old revision beside fresh ones. */
  readonly others?: Arm;
  readonly intervalSeconds: number;
}

/** The generator mulberry32 by Tommy Ettinger (public domain): 32 bits of state. */
export function seeded(seed: number): Random {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, poisson: (mean) => poisson(mean, uniform, normal) };
}

/** Above this mean a normal number is as good, and inversion would run out of digits. */
const NORMAL_FROM = 200;

function poisson(mean: number, uniform: () => number, normal: () => number): number {
  if (mean > NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  let left = uniform();
  let probability = Math.exp(-mean);
  let count = 0;
  while (left > probability && count < 10 * NORMAL_FROM) {
    left -= probability;
    count++;
    probability *= mean / count;
  }
  return count;
}

/** What a judge sees at each look: the same figures, and one interval more. */
export function* looks(
  random: Random,
  simulated: SimulatedCanary,
  most: number,
): Generator<JudgeInputs, void, undefined> {
  const { policy, canary, baseline, others, intervalSeconds } = simulated;
  const all = canary.requestsPerSecond + baseline.requestsPerSecond + (others?.requestsPerSecond ?? 0);
  const shares = {
    canaryShare: (100 * canary.requestsPerSecond) / all,
    ...(others === undefined ? {} : { baselineShare: (100 * baseline.requestsPerSecond) / all }),
  };
  const intervals: Interval[] = [];
  for (let look = 1; look <= most; look++) {
    intervals.push({
      canary: figures(random, canary, intervalSeconds),
      baseline: figures(random, baseline, intervalSeconds),
      ...(others === undefined ? {} : { others: figures(random, others, intervalSeconds) }),
    });
    yield { policy, ...shares, windowSeconds: look * intervalSeconds, intervals };
  }
}

function figures(random: Random, arm: Arm, seconds: number): IntervalFigures {
  const { requestsPerSecond, errors, latencyMs = 50, errorNoise = 0, latencyNoise = 0.25 } = arm;
  const requests = random.poisson(requestsPerSecond * seconds);
  const factor = Math.exp(errorNoise * random.normal() - errorNoise ** 2 / 2);
  return {
    requests,
    errors: Math.min(requests, random.poisson(requests * errors * factor)),
    seconds,
    latencyMs: latencyMs * Math.exp(latencyNoise * random.normal()),
  };
}
