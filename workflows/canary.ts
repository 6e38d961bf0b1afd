import { ApplicationFailure, CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { CanaryActivities, CanaryQuestion } from '../activities/influx/canary.ts';
import { counted } from '../domain/counted.ts';
import { baselineName } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { JudgeInputs } from '../domain/judge/inputs.ts';
import { judgeCanary } from '../domain/judge/judge.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
import type { Step } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import { ask } from './ask.ts';
import { failureFrom } from './failure.ts';
import { activities, watch } from './options.ts';
import type { Stage } from './stage.ts';
import { type WaitBoard, type WaitFor, waitFor } from './wait.ts';

type HoldStep = Extract<Step, { kind: 'hold' }>;
type JudgeStep = Extract<Step, { kind: 'judge' }>;

/** Which step a verdict is of, and the name of its judge in the manifest. */
interface Seat {
  readonly step: string;
  readonly judge: string;
}

/** Where a canary is watched from. */
export interface CanaryWatch {
  readonly board: WaitBoard;
  /** Told every verdict that counts, and what it rests on. */
  readonly judged: { judged(verdict: Verdict, inputs: JudgeInputs, of: Seat): void };
  /** True once people have said that the step is to be skipped. */
  isSkipped(): boolean;
}

/** Looks of the judge in a hold, as far apart as they may be: harm ends it early, and the tests stay valid while it looks. */
const LOOKS = 20;
const SHORTEST_PAUSE_SECONDS = 1;
const LONGEST_PAUSE_SECONDS = 10;
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
  const { seconds, watch: watcher } = step;
  if (!watcher) {
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
  const seen = await waitUnderWatch(stage, { policy: watcher.policy, until: 'harm' }, watched, {
    reason: WaitReason.CanaryFigures,
    sentence: `watching ${sharing(stage)}`,
    endedBy: 'time, the judge when it sees harm, or a person who skips it',
    seconds,
    atDeadline: 'the next step begins',
  });
  if (seen && !isSkipped()) pronounce(seen, { step: step.id, judge: watcher.name }, watched);
  return `${watcher.name} was watched for ${seconds} s without harm`;
}

/**
 * Has the judge speak of what was counted since traffic was last moved. While it can't decide it gets more time, and says
 * why.
 *
 * @returns the verdict that lets the release go on; undefined when people have said that there is to be none
 * @throws ApplicationFailure `CanaryFailed` when the judge found harm, `CanaryInconclusive` when it could not decide
 */
export async function runJudge(stage: Stage, step: JudgeStep, watched: CanaryWatch): Promise<Verdict | undefined> {
  const { isSkipped } = watched;
  const { moreSeconds, name, policy, seconds } = step;
  let seen: JudgeInputs | undefined;
  // As often as the hold was long it says anew what is missing.
  for (let waited = 0; ; waited += seconds) {
    const inputs: JudgeInputs = seen ?? (await readInputs(stage, policy));
    if (isSkipped()) return undefined;
    const verdict = pronounce(inputs, { step: step.id, judge: name }, watched);
    if (verdict.result === 'pass') return verdict;
    if (waited >= moreSeconds) {
      throw ApplicationFailure.nonRetryable(
        `the judge ${name} could not decide in ${seconds + moreSeconds} s: ${verdict.sentence}`,
        FailureType.CanaryInconclusive,
      );
    }
    seen = await waitUnderWatch(stage, { policy, until: 'decision' }, watched, {
      reason: WaitReason.CanaryFigures,
      sentence: `watching ${sharing(stage)}, longer than planned: ${verdict.sentence}`,
      endedBy: `the judge ${name}, or two people who skip it`,
      seconds: Math.min(seconds, moreSeconds - waited),
      atDeadline: 'the judge looks at the figures',
    });
    if (isSkipped()) return undefined;
  }
}

/** The verdict of what was read. @throws ApplicationFailure `CanaryFailed` when it is harm */
function pronounce(inputs: JudgeInputs, of: Seat, { judged }: CanaryWatch): Verdict {
  const verdict = judgeCanary(inputs);
  judged.judged(verdict, inputs, of);
  if (verdict.result === 'fail') throw ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);
  return verdict;
}

interface Look {
  readonly policy: JudgePolicy;
  readonly until: 'harm' | 'decision';
}

/** Waits while the judge looks again and again. @returns what its word rests on when that ended the wait */
async function waitUnderWatch(
  stage: Stage,
  { policy, until }: Look,
  { board, isSkipped }: CanaryWatch,
  wait: WaitFor,
): Promise<JudgeInputs | undefined> {
  const question = questionOf(stage, policy);
  const pause = Math.min(LONGEST_PAUSE_SECONDS, Math.max(SHORTEST_PAUSE_SECONDS, wait.seconds / LOOKS));
  let seen: JudgeInputs | undefined;
  const watching = new CancellationScope();
  const summary = `${question.canary} against ${question.baseline}, until ${until === 'harm' ? 'there is harm' : 'that is decided'}`;
  watching
    .run(() => activities<CanaryActivities>(watch(pause), summary).watchCanary({ ...question, until }))
    .then(
      (inputs) => {
        seen = inputs;
      },
      (error: unknown) => {
        if (isCancellation(error)) return;
        // Without figures nothing is promoted, and nothing taken back: the judge says so when its time has come.
        log.warn('nobody watches the canary', { failure: failureFrom(error) });
      },
    );
  try {
    await waitFor(board, wait, () => seen !== undefined || isSkipped());
  } finally {
    watching.cancel();
  }
  return seen;
}

/** What the judge needs of canary and revision before, from when traffic was last moved until now. */
function readInputs(stage: Stage, policy: JudgePolicy): Promise<JudgeInputs> {
  const question = questionOf(stage, policy);
  const to = new Date().toISOString();
  return ask<CanaryActivities, JudgeInputs>(`Figures of ${question.canary} against ${question.baseline}`, (canary) =>
    canary.readJudgeInputs({ ...question, to }),
  );
}

function questionOf(stage: Stage, policy: JudgePolicy): CanaryQuestion {
  const { baseline, before, instances, kept, share, sharedSince } = stage;
  const served = before.current?.revision ?? null;
  // Beside fresh instances those that were there are counted as well, as long as they are asked at all.
  const others = baseline && served !== null && share + baseline.weight < 100 ? served : undefined;
  return {
    policy,
    environment: stage.facts.name,
    service: stage.service,
    canary: stage.spec.revision,
    baseline: baseline && served !== null ? baselineName(served) : served,
    ...(others !== undefined && baseline ? { others, baselineShare: baseline.weight } : {}),
    from: (sharedSince ?? new Date()).toISOString(),
    canaryShare: share,
    latencyMemory: {
      canary: BALANCER_MEMORY * instances,
      baseline: BALANCER_MEMORY * (baseline ? baseline.instances : kept),
    },
  };
}

function sharing({ instances, share }: Stage): string {
  return `${counted(instances, 'canary instance')} with ${share} % of the traffic`;
}
