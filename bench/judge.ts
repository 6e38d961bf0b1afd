/**
 * What the canary judge promises, in figures, on simulated canaries with seeds: how often it raises an alarm where there
 * is nothing, also when each side has bad seconds of its own; how soon it finds harm; what one verdict costs.
 */
import type { Interval, JudgeInputs } from '../domain/judge/inputs.ts';
import { decide, judgeCanary } from '../domain/judge/judge.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
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

/** Only comparisons: no limit is in the way, and any slowdown counts. */
const COMPARED: JudgePolicy = { maxErrorPercent: 100, maxSlowdownPercent: 0.001, minRequests: 50, alpha: 0.01 };

export default async function judge(): Promise<readonly Figure[]> {
  return [...nullRuns(0, 'chance alone'), ...nullRuns(2, 'noise of its own on each side'), ...harm(), ...verdictTime()];
}

/**
 * Runs in which both sides are the same. Each has its own traffic, share, errors, times and, up to `mostNoise`, its own
 * noise, which the judge does not know.
 */
function nullRuns(mostNoise: number, what: string): Figure[] {
  const alarms = ALPHAS.map(() => 0);
  for (let run = 0; run < NULL_RUNS; run++) {
    const random = seeded(run + 1);
    const share = [0.01, 0.05, 0.1, 0.5][run % 4] ?? 0.5;
    const total = 10 ** (1.5 + 2 * random.uniform());
    const errors = 10 ** (-3 + 2 * random.uniform());
    const arm = (part: number): Arm => ({
      requestsPerSecond: total * part,
      errors,
      errorNoise: mostNoise * random.uniform(),
      latencyNoise: 0.05 + mostNoise * random.uniform(),
    });
    const simulated = { policy: COMPARED, canary: arm(share), baseline: arm(1 - share), intervalSeconds: 1 };
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
  const policy: JudgePolicy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };
  const simulated: SimulatedCanary = {
    policy,
    canary: { requestsPerSecond: 10, errors: 0.01 },
    baseline: { requestsPerSecond: 190, errors: 0.001 },
    intervalSeconds: 1,
  };
  const seconds = Array.from(
    { length: HARM_RUNS },
    (_, run) => firstFail(run, simulated, LONGEST_SECONDS) ?? LONGEST_SECONDS,
  );
  const errors = sevenOfTen((bad) => ({ errors: bad ? 100 : 1, latencyMs: null }), policy);
  const times = sevenOfTen((bad) => ({ errors: 0, latencyMs: bad ? 5000 : 50 }), { ...policy, maxSlowdownPercent: 20 });
  return [
    atMost(
      '1 % errors against 0.1 %, 5 % of 200 requests/s: median until caught',
      quantile(seconds, 0.5),
      's',
      CAUGHT_BAR,
    ),
    observed('the same, 90th percentile', quantile(seconds, 0.9), 's'),
    atLeast('errors 100 times worse in 7 of 10 intervals: orders in which it is caught', errors, 'of 120', 120),
    observed('times 100 times worse in 7 of 10 intervals: orders in which it is caught', times, 'of 120'),
  ];
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
  return {
    policy,
    canaryShare: 50,
    windowSeconds: bad.length,
    intervals: bad.map((isBad) => ({
      canary: { ...sides, ...figures(isBad) },
      baseline: { ...sides, ...figures(false) },
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
    maxErrorPercent: 5,
    maxErrorIncreasePercent: 1,
    maxSlowdownPercent: 20,
    maxP99Ms: 300,
    minRequests: 50,
    alpha: 0.01,
  };
  const [last] = [...looks(random, { policy, canary: arm, baseline: arm, intervalSeconds: 1 }, 120)].slice(-1);
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
