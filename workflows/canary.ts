import { ApplicationFailure } from '@temporalio/workflow';
import type { InfluxActivities } from '../activities/influx/activities.ts';
import { counted } from '../domain/counted.ts';
import { baselineName } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { JudgeInputs } from '../domain/judge/inputs.ts';
import { judgeCanary } from '../domain/judge/judge.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
import type { Step } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import { activities, READ } from './options.ts';
import type { Stage } from './stage.ts';
import { type WaitBoard, waitFor } from './wait.ts';

type HoldStep = Extract<Step, { kind: 'hold' }>;
type JudgeStep = Extract<Step, { kind: 'judge' }>;

/** Where a canary is watched from. */
export interface CanaryWatch {
  readonly board: WaitBoard;
  /** Told every verdict that counts, and what it rests on. */
  readonly judged: { judged(verdict: Verdict, inputs: JudgeInputs): void };
  /** True once people have said that the step is to be skipped. */
  isSkipped(): boolean;
}

/** The judge looks this often in a hold, so that harm ends early; its tests stay valid while it looks. */
const LOOKS = 5;
/** Figures come in at most so many intervals, of a second at least, so that a history holds all looks. */
const MOST_INTERVALS = 120;
/** HAProxy's times are averages over a server's last requests, 1,024 of them (its management guide, section 9.1). */
const BALANCER_MEMORY = 1024;

/**
 * Lets traffic be as it is for a time. Where a judge is to speak next it looks at the figures meanwhile, and harm that it
 * sees ends the hold at once; what it has to say at the end is the judge step's.
 *
 * @returns what was done, in one sentence
 * @throws ApplicationFailure `CanaryFailed` when the judge found harm
 */
export async function runHold(stage: Stage, step: HoldStep, watched: CanaryWatch): Promise<string> {
  const { board, isSkipped } = watched;
  const { seconds, watch } = step;
  if (!watch) {
    const hold = {
      reason: WaitReason.Hold,
      sentence: `holding ${sharing(stage)}`,
      endedBy: 'time, or a person who skips it',
      seconds,
      atDeadline: 'the next step begins',
    };
    await waitFor(board, hold, isSkipped);
    return `held for ${seconds} s`;
  }
  for (let look = 1; look <= LOOKS && !isSkipped(); look++) {
    const wait = {
      reason: WaitReason.CanaryFigures,
      sentence: `watching ${sharing(stage)}, look ${look} of ${LOOKS}`,
      endedBy: 'the judge, when it sees harm, or a person who skips it',
      seconds: seconds / LOOKS,
      atDeadline: look === LOOKS ? 'the next step begins' : 'the judge looks at the figures',
    };
    const skipped = await waitFor(board, wait, isSkipped);
    if (look < LOOKS && !skipped) await lookForHarm(stage, watch.policy, watched);
  }
  return `${watch.name} was watched for ${seconds} s without harm`;
}

/**
 * Has the judge speak of what was counted since traffic was last moved. While it can't decide it gets more time.
 *
 * @returns the verdict that lets the release go on; undefined when people have said that there is to be none
 * @throws ApplicationFailure `CanaryFailed` when the judge found harm, `CanaryInconclusive` when it could not decide
 */
export async function runJudge(stage: Stage, step: JudgeStep, watched: CanaryWatch): Promise<Verdict | undefined> {
  const { board, isSkipped, judged } = watched;
  const { moreSeconds, name, policy, seconds } = step;
  const pause = seconds / LOOKS;
  for (let waited = 0; ; waited += pause) {
    const inputs = await readInputs(stage, policy);
    if (isSkipped()) return undefined;
    const verdict = judgeCanary(inputs);
    judged.judged(verdict, inputs);
    if (verdict.result === 'fail') throw harm(verdict);
    if (verdict.result === 'pass') return verdict;
    if (waited + pause > moreSeconds) {
      throw ApplicationFailure.nonRetryable(
        `the judge ${name} could not decide in ${seconds + moreSeconds} s: ${verdict.sentence}`,
        FailureType.CanaryInconclusive,
      );
    }
    const wait = {
      reason: WaitReason.CanaryFigures,
      sentence: `watching ${sharing(stage)}, longer than planned: ${verdict.sentence}`,
      endedBy: `the judge ${name}, or two people who skip it`,
      seconds: pause,
      atDeadline: 'the judge looks at the figures',
    };
    if (await waitFor(board, wait, isSkipped)) return undefined;
  }
}

async function lookForHarm(stage: Stage, policy: JudgePolicy, { isSkipped, judged }: CanaryWatch): Promise<void> {
  const inputs = await readInputs(stage, policy);
  const verdict = judgeCanary(inputs);
  if (verdict.result !== 'fail' || isSkipped()) return;
  judged.judged(verdict, inputs);
  throw harm(verdict);
}

function harm(verdict: Verdict): ApplicationFailure {
  return ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);
}

/** What the judge needs of canary and revision before, from when traffic was last moved until now. */
async function readInputs(stage: Stage, policy: JudgePolicy): Promise<JudgeInputs> {
  const { baseline, before, kept, share, sharedSince } = stage;
  const to = new Date();
  const from = sharedSince ?? to;
  const windowSeconds = (to.getTime() - from.getTime()) / 1000;
  const canary = stage.spec.revision;
  const served = before.current?.revision ?? null;
  const compared = baseline && served !== null ? baselineName(served) : served;
  const figures = await activities<InfluxActivities>(
    READ,
    `Figures of ${canary} against ${compared}`,
  ).readCanaryFigures({
    environment: stage.facts.name,
    service: stage.service,
    canary,
    baseline: compared,
    from: from.toISOString(),
    to: to.toISOString(),
    intervalSeconds: Math.max(1, Math.ceil(windowSeconds / MOST_INTERVALS)),
    timings: policy.maxP99Ms !== undefined,
  });
  return {
    policy,
    // Of the two that are compared, not of all traffic.
    canaryShare: (100 * share) / (share + (baseline ? baseline.weight : 100 - share)),
    windowSeconds,
    ...figures,
    latencyMemory: {
      canary: BALANCER_MEMORY * stage.instances,
      baseline: BALANCER_MEMORY * (baseline ? baseline.instances : kept),
    },
  };
}

function sharing({ instances, share }: Stage): string {
  return `${counted(instances, 'canary instance')} with ${share} % of the traffic`;
}
