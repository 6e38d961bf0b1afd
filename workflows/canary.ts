import { ApplicationFailure } from '@temporalio/workflow';
import type { InfluxActivities } from '../activities/influx/activities.ts';
import { counted } from '../domain/counted.ts';
import { FailureType } from '../domain/failures.ts';
import { judgeCanary } from '../domain/judge/judge.ts';
import type { RevisionWindow, Verdict } from '../domain/judge/verdict.ts';
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

/**
 * Starts the canary, gives it its share and watches it until the judge has decided.
 *
 * @param judged called with every verdict, also those that decide nothing yet
 * @returns the verdict that lets the release go on
 * @throws ApplicationFailure `CanaryFailed` when the judge found harm, `CanaryInconclusive` when it could not decide
 */
export async function runCanary(
  stage: Stage,
  step: CanaryStep,
  board: WaitBoard,
  judged: (verdict: Verdict) => void,
): Promise<Verdict> {
  await startInstances(stage, step.instances);
  await moveTraffic(stage, step.weight);
  const from = new Date().toISOString();
  let before: Verdict | undefined;
  for (let look = 1; look <= LOOKS * HOLDS; look++) {
    await waitFor(board, {
      reason: WaitReason.CanaryFigures,
      sentence: waitSentence(step, look, before),
      endedBy: 'the judge',
      seconds: step.holdSeconds / LOOKS,
      atDeadline: 'the judge looks at the figures',
    });
    const verdict = judgeCanary(step.judge, ...(await readWindows(stage, from)));
    const held = look >= LOOKS;
    if (verdict.result === 'fail' || held) judged(verdict);
    if (verdict.result === 'fail') throw ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);
    if (verdict.result === 'pass' && held) return verdict;
    before = verdict;
  }
  throw ApplicationFailure.nonRetryable(
    `the judge could not decide in ${HOLDS * step.holdSeconds} s: ${before?.sentence}`,
    FailureType.CanaryInconclusive,
  );
}

/** Figures of canary and old revision from the start of the canary until now, as the balancer counted them. */
async function readWindows(stage: Stage, from: string): Promise<[RevisionWindow, RevisionWindow]> {
  const canary = stage.spec.revision;
  const baseline = stage.before.current?.revision;
  const revisions = baseline === undefined ? [canary] : [canary, baseline];
  const windows = await activities<InfluxActivities>(READ, `Figures of ${revisions.join(' and ')}`).readRevisionWindows(
    {
      environment: stage.facts.name,
      service: stage.service,
      revisions,
      from,
      to: new Date().toISOString(),
    },
  );
  const windowOf = (revision: string | undefined): RevisionWindow => {
    const window = revision === undefined ? undefined : windows[revision];
    return window
      ? { requests: window.requests, errors: window.errors5xx, seconds: window.seconds }
      : { requests: 0, errors: 0, seconds: 0 };
  };
  return [windowOf(canary), windowOf(baseline)];
}

function waitSentence(step: CanaryStep, look: number, verdict: Verdict | undefined): string {
  const canary = `${counted(step.instances, 'canary instance')} with ${step.weight} % of the traffic`;
  const progress = look <= LOOKS ? `look ${look} of ${LOOKS}` : `longer than planned: ${verdict?.sentence}`;
  return `watching ${canary}, ${progress}`;
}
