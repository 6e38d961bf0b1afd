/**
 * What the canary judge promises, in figures, on simulated canaries with seeds, in the arrangement of a release: a canary,
 * as much traffic to fresh instances of the old revision, the rest to those that were there. How often it raises an alarm
 * where there is nothing, also when fresh instances err more as such and when each side has bad seconds of its own; how
 * soon it finds harm; what one verdict costs.
 */
import type { Interval, JudgeInputs } from '../domain/judge/inputs.ts';
import { decide, judgeCanary } from '../domain/judge/judge.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
import { parseJudgePolicy } from '../domain/schemas/manifest.ts';
import { type Arm, looks, type SimulatedCanary, seeded } from '../test/simulated-canary.ts';
import { quantile } from './cell/quantile.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const NULL_RUNS = 10_000;
const LOOKS = 60;
/** Nominal rates of false alarms, the largest first. */
const ALPHAS = [0.05, 0.01];
const HARM_RUNS = 1_000;
/** Nobody waits longer, seconds. */
const LONGEST_SECONDS = 1_800;
/** Seconds until a canary with 1 % errors against 0.1 % is caught, at 5 % of 200 requests a second. */
const CAUGHT_BAR = 80;
/** Milliseconds for one verdict on 10,000 points. */
const VERDICT_BAR = 5;
const POINTS = 10_000;
const VERDICTS = 200;

/** What a judge is held to who is told nothing. */
const DEFAULTS = defaults();

/** Only comparisons: no limit is in the way, and any slowdown counts. */
const COMPARED: JudgePolicy = { maxErrorPercent: 100, maxSlowdownPercent: 0.001, minRequests: 50, alpha: 0.01 };

export default async function judge(): Promise<readonly Figure[]> {
  return [
    ...nullRuns({ mostNoise: 0, freshTimes: 1 }, 'chance alone'),
    ...nullRuns({ mostNoise: 2, freshTimes: 1 }, 'noise of its own on each side'),
    ...nullRuns({ mostNoise: 0, freshTimes: 10 }, 'fresh instances of both revisions err 10 times more'),
    // Two rules are counted, each of which may be wrong with the nominal rate.
    ...nullRuns({ mostNoise: 2, freshTimes: 10 }, 'both of these at once').map(({ name, value, unit }) =>
      observed(name, value, unit),
    ),
    ...harm(),
    ...verdictTime(),
  ];
}

function defaults(): JudgePolicy {
  const reading = parseJudgePolicy('{}');
  if (reading.ok) return reading.policy;
  throw new Error('a judge has no defaults');
}

interface Nothing {
  /** Up to so much noise, which the judge does not know, has each side. */
  readonly mostNoise: number;
  /** So many times as often as the others err fresh instances, those of the canary and of the baseline. */
  readonly freshTimes: number;
}

/** Runs in which the canary is as the baseline. Each run has its own traffic, share, errors and times. */
function nullRuns({ mostNoise, freshTimes }: Nothing, what: string): Figure[] {
  const alarms = ALPHAS.map(() => 0);
  for (let run = 0; run < NULL_RUNS; run++) {
    const random = seeded(run + 1);
    const share = [0.01, 0.05, 0.1, 0.5][run % 4] ?? 0.5;
    const total = 10 ** (1.5 + 2 * random.uniform());
    const errors = 10 ** (-3 + 2 * random.uniform());
    const arm = (part: number, times: number): Arm => ({
      requestsPerSecond: total * part,
      errors: (errors * times) / freshTimes,
      errorNoise: mostNoise * random.uniform(),
      latencyNoise: 0.05 + mostNoise * random.uniform(),
    });
    const simulated: SimulatedCanary = {
      policy: COMPARED,
      canary: arm(share, freshTimes),
      baseline: arm(share, freshTimes),
      ...(share < 0.5 && { others: arm(1 - 2 * share, 1) }),
      intervalSeconds: 1,
    };
    for (const index of alarmsOf(run, simulated)) alarms[index] = (alarms[index] ?? 0) + 1;
  }
  return ALPHAS.map((alpha, index) => {
    const name = `false alarms in ${NULL_RUNS} null runs of ${LOOKS} looks, nominal ${100 * alpha} %, ${what}`;
    return atMost(name, (100 * (alarms[index] ?? 0)) / NULL_RUNS, '%', 100 * alpha);
  });
}

/** Which of the alphas raise an alarm in a run; what a smaller one finds a larger one has found. */
function alarmsOf(run: number, simulated: SimulatedCanary): number[] {
  let silent = 0;
  for (const inputs of looks(seeded(1_000_000 + run), simulated, LOOKS)) {
    const fails = (alpha = 0) => decide({ ...inputs, policy: { ...inputs.policy, alpha } }).result === 'fail';
    while (silent < ALPHAS.length && fails(ALPHAS[silent])) silent++;
    if (silent === ALPHAS.length) break;
  }
  return ALPHAS.map((_, index) => index).slice(0, silent);
}

function harm(): Figure[] {
  const seconds = secondsUntilCaught(DEFAULTS);
  const strict = secondsUntilCaught({ ...DEFAULTS, alpha: 0.01 });
  const errors = sevenOfTen((bad) => ({ errors: bad ? 100 : 1, latencyMs: null }), DEFAULTS);
  const slow = { ...DEFAULTS, maxSlowdownPercent: 20 };
  const times = sevenOfTen((bad) => ({ errors: 0, latencyMs: bad ? 5000 : 50 }), slow);
  return [
    atMost(
      `1 % errors against 0.1 %, canary and fresh baseline 5 % each of 200 requests/s, default alpha ${DEFAULTS.alpha}: median until caught`,
      quantile(seconds, 0.5),
      's',
      CAUGHT_BAR,
    ),
    observed('the same, 90th percentile', quantile(seconds, 0.9), 's'),
    observed('the same, alpha 0.01, median', quantile(strict, 0.5), 's'),
    atLeast('errors 100 times worse in 7 of 10 intervals: orders in which it is caught', errors, 'of 120', 120),
    observed('times 100 times worse in 7 of 10 intervals: orders in which it is caught', times, 'of 120'),
  ];
}

function secondsUntilCaught(policy: JudgePolicy): number[] {
  const simulated: SimulatedCanary = {
    policy,
    canary: { requestsPerSecond: 10, errors: 0.01 },
    baseline: { requestsPerSecond: 10, errors: 0.001 },
    others: { requestsPerSecond: 180, errors: 0.001 },
    intervalSeconds: 1,
  };
  return Array.from({ length: HARM_RUNS }, (_, run) => firstFail(run, simulated, LONGEST_SECONDS) ?? LONGEST_SECONDS);
}

type Figures = Pick<Interval['canary'], 'errors' | 'latencyMs'>;

/** In how many of the orders of seven bad and three good intervals the canary fails at the tenth. */
function sevenOfTen(figures: (bad: boolean) => Figures, policy: JudgePolicy): number {
  return ordersOfThreeGood().filter((good) => {
    const bad = Array.from({ length: 10 }, (_, index) => !good.includes(index));
    return decide(intervalsOf(bad, figures, policy)).result === 'fail';
  }).length;
}

function intervalsOf(bad: readonly boolean[], figures: (bad: boolean) => Figures, policy: JudgePolicy): JudgeInputs {
  const sides = { requests: 10_000, seconds: 1 };
  const good = figures(false);
  return {
    policy,
    canaryShare: 5,
    baselineShare: 5,
    windowSeconds: bad.length,
    intervals: bad.map((isBad) => ({
      canary: { ...sides, ...figures(isBad) },
      baseline: { ...sides, ...good },
      others: { ...good, requests: 18 * sides.requests, errors: 18 * good.errors, seconds: 1 },
    })),
  };
}

function ordersOfThreeGood(): number[][] {
  const orders: number[][] = [];
  for (let one = 0; one < 10; one++) {
    for (let two = one + 1; two < 10; two++) {
      for (let three = two + 1; three < 10; three++) orders.push([one, two, three]);
    }
  }
  return orders;
}

function verdictTime(): Figure[] {
  const random = seeded(1);
  const arm = { requestsPerSecond: 100, errors: 0.001 };
  const policy: JudgePolicy = {
    ...DEFAULTS,
    maxErrorIncreasePercent: 1,
    maxSlowdownPercent: 20,
    maxP99Ms: 300,
  };
  const simulated = { policy, canary: arm, baseline: arm, others: arm, intervalSeconds: 1 };
  const [last] = [...looks(random, simulated, 120)].slice(-1);
  if (last === undefined) throw new Error('no look');
  const times = () =>
    Array.from({ length: POINTS / 2 }, () => Math.round(5000 * Math.exp(0.3 * random.normal())) / 100);
  const inputs: JudgeInputs = { ...last, timings: { canary: times(), baseline: times() } };
  const rounds = (count: number) =>
    Array.from({ length: count }, () => {
      const started = performance.now();
      judgeCanary(inputs);
      return performance.now() - started;
    });
  rounds(VERDICTS);
  const before = process.cpuUsage();
  const waited = rounds(VERDICTS);
  const { user, system } = process.cpuUsage(before);
  const what = `one verdict on ${POINTS} times of single answers and 120 intervals`;
  return [
    // On a machine that others use, time on the clock tells what they do.
    atMost(`${what}: processor time, mean`, rounded((user + system) / 1000 / VERDICTS), 'ms', VERDICT_BAR),
    observed(`${what}: on the clock, fastest`, rounded(Math.min(...waited)), 'ms'),
    observed(`${what}: on the clock, median`, rounded(quantile(waited, 0.5)), 'ms'),
  ];
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** The first look at which the canary fails, from 1. */
function firstFail(run: number, simulated: SimulatedCanary, most: number): number | undefined {
  let look = 0;
  for (const inputs of looks(seeded(1_000_000 + run), simulated, most)) {
    look++;
    if (decide(inputs).result === 'fail') return look;
  }
  return undefined;
}
