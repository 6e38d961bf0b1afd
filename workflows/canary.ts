import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { InfluxActivities, RevisionFigures } from '../activities/influx/activities.ts';
import { counted } from '../domain/counted.ts';
import { FailureType } from '../domain/failures.ts';
import type { Interval, IntervalFigures, JudgeInputs } from '../domain/judge/inputs.ts';
import { judgeCanary } from '../domain/judge/judge.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import type { Step } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import { activities, READ } from './options.ts';
import { moveTraffic, type Stage, startInstances } from './shift.ts';
import { type WaitBoard, waitFor } from './wait.ts';

type CanaryStep = Extract<Step, { kind: 'canary' }>;

/** The judge looks this often in a hold, so that harm ends early; its tests stay valid while it looks. */
const LOOKS = 5;
/** An undecided judge gets this many times the hold before the canary is taken back. */
const HOLDS = 3;
/** Figures come in at most so many intervals, of a second at least, so that a history holds all looks. */
const MOST_INTERVALS = 120;
/** HAProxy's times are averages over a server's last requests, 1,024 of them (its management guide, section 9.1). */
const BALANCER_MEMORY = 1024;

/**
 * Starts the canary, gives it its share and watches it until the judge has decided.
 *
 * @param judged called with every verdict that counts, also those that decide nothing yet, and what it rests on
 * @returns the verdict that lets the release go on
 * @throws ApplicationFailure `CanaryFailed` when the judge found harm, `CanaryInconclusive` when it could not decide
 */
export async function runCanary(
  stage: Stage,
  step: CanaryStep,
  board: WaitBoard,
  judged: (verdict: Verdict, inputs: JudgeInputs) => void,
): Promise<Verdict> {
  await startInstances(stage, step.instances);
  await moveTraffic(stage, step.weight);
  const from = new Date();
  let before: Verdict | undefined;
  for (let look = 1; look <= LOOKS * HOLDS; look++) {
    await waitFor(board, {
      reason: WaitReason.CanaryFigures,
      sentence: waitSentence(step, look, before),
      endedBy: 'the judge',
      seconds: step.holdSeconds / LOOKS,
      atDeadline: 'the judge looks at the figures',
    });
    const inputs = await readInputs(stage, step, from);
    const verdict = judgeCanary(inputs);
    const held = look >= LOOKS;
    if (verdict.result === 'fail' || held) judged(verdict, inputs);
    if (verdict.result === 'fail') throw ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);
    if (verdict.result === 'pass' && held) return verdict;
    before = verdict;
  }
  throw ApplicationFailure.nonRetryable(
    `the judge could not decide in ${HOLDS * step.holdSeconds} s: ${before?.sentence}`,
    FailureType.CanaryInconclusive,
  );
}

/** What the judge needs of canary and old revision, from the start of the canary until now. */
async function readInputs(stage: Stage, step: CanaryStep, from: Date): Promise<JudgeInputs> {
  const { current } = stage.before;
  const to = new Date();
  const windowSeconds = (to.getTime() - from.getTime()) / 1000;
  const window = {
    environment: stage.facts.name,
    service: stage.service,
    canary: stage.spec.revision,
    baseline: current?.revision ?? null,
    from: from.toISOString(),
    to: to.toISOString(),
  };
  const inputs = { policy: step.judge, canaryShare: step.weight, windowSeconds };
  if (!patched('canary-figures-by-interval')) return { ...inputs, intervals: await readTotals(window) };
  const read = activities<InfluxActivities>(READ, `Figures of ${window.canary} against ${window.baseline}`);
  const figures = await read.readCanaryFigures({
    ...window,
    intervalSeconds: Math.max(1, Math.ceil(windowSeconds / MOST_INTERVALS)),
    timings: step.judge.maxP99Ms !== undefined,
  });
  return {
    ...inputs,
    ...figures,
    latencyMemory: {
      canary: BALANCER_MEMORY * step.instances,
      baseline: BALANCER_MEMORY * (current?.instances ?? step.instances),
    },
  };
}

interface Window {
  readonly environment: string;
  readonly service: string;
  readonly canary: string;
  /** Null where there is nothing to compare with. */
  readonly baseline: string | null;
  readonly from: string;
  readonly to: string;
}

/**
 * How canaries read that began before figures came by intervals: sums of the whole window. How they were spread over its
 * seconds is not known; they are taken for even, as the judge of that time took them.
 */
async function readTotals({ environment, service, canary, baseline, from, to }: Window): Promise<Interval[]> {
  const windows = await activities<InfluxActivities>(
    READ,
    `Figures of ${canary} against ${baseline}`,
  ).readRevisionWindows({
    environment,
    service,
    revisions: baseline === null ? [canary] : [canary, baseline],
    from,
    to,
  });
  const [ofCanary, ofBaseline] = [canary, baseline].map((revision) => windows[revision ?? '']);
  const samples = Math.max(ofCanary?.samples ?? 0, ofBaseline?.samples ?? 0, 1);
  const part = (sum: number, index: number) =>
    Math.floor((sum * (index + 1)) / samples) - Math.floor((sum * index) / samples);
  const figures = (window: RevisionFigures | undefined, index: number): IntervalFigures => ({
    requests: part(window?.requests ?? 0, index),
    errors: part(window?.errors5xx ?? 0, index),
    seconds: (window?.seconds ?? 0) / samples,
    latencyMs: null,
  });
  return Array.from({ length: samples }, (_, index) => ({
    canary: figures(ofCanary, index),
    baseline: figures(ofBaseline, index),
  }));
}

function waitSentence(step: CanaryStep, look: number, verdict: Verdict | undefined): string {
  const canary = `${counted(step.instances, 'canary instance')} with ${step.weight} % of the traffic`;
  const progress = look <= LOOKS ? `look ${look} of ${LOOKS}` : `longer than planned: ${verdict?.sentence}`;
  return `watching ${canary}, ${progress}`;
}
