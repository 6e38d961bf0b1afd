import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  setCurrentDetails,
  TimeoutFailure,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuilderEnd, BuilderOrder, BuilderTaskActivities } from '../activities/build/run-builder.ts';
import type { BuilderActivities } from '../activities/build/stages.ts';
import { FailureType, NON_RETRYABLE_FAILURES } from '../domain/failures.ts';
import { candidateTag, serviceRepository, testRepository } from '../domain/image-tag.ts';
import { checkoutStage, pipelineStages } from '../domain/pipelines/pipeline.ts';
import { type BuildInput, type BuildResult, buildTaskQueue } from './contract.ts';
import { END_LEFT, endLeft } from './left-task.ts';
import { activities, HEARTBEAT_TIMEOUT, type Profile, READ } from './options.ts';

/** A build that gets no working builder is tried with so many. One that no agent took but those left out is not counted. */
const MAX_BUILDERS = 3;

/** A builder that runs takes its next stage at once; one that does not for so long is gone. */
const NEXT_STAGE_WITHIN_SECONDS = 30;

/** What a builder needs around its stages: to start, to end, and for Mesos to tell. */
const AROUND_SECONDS = 120;

type Built = Omit<BuildResult, 'builder' | 'agent'>;

/** Which attempt to build came how far. */
type Attempt =
  | { readonly kind: 'built'; readonly built: Built; readonly end: BuilderEnd }
  | { readonly kind: 'lost'; readonly because: string; readonly end?: BuilderEnd };

/**
 * Builds a commit on a builder of its own: a task on a CI agent that takes the stages from its own task queue and ends
 * with the build. A builder that does not start, or dies, is replaced by one on another agent, from the first stage. Its
 * time to start runs on while no orchestrator lives, so one may be lost although its agent is well: where no other agent
 * takes its successor, that agent is asked again.
 *
 * @throws ActivityFailure `BuildFailed` when the service's own code fails a stage; ApplicationFailure
 * `BuilderUnavailable` after three builders that did not work
 */
export async function build(input: BuildInput): Promise<BuildResult> {
  const { startSeconds } = await activities<BuilderTaskActivities>(READ, 'How builders are started').readBuilderStart();
  const lost: string[] = [];
  let excludeAgents: string[] = [];
  let tried = 0;
  while (tried < MAX_BUILDERS) {
    const builderId = `${input.service}-${uuid4().slice(0, 13)}`;
    const attempt = await withBuilder({ builderId, startSeconds, excludeAgents, input });
    if (attempt.kind === 'built') {
      const agent = attempt.end.agent;
      setCurrentDetails(`Built on ${agent?.address ?? 'an agent that Mesos did not name'}.`);
      return { ...attempt.built, builder: builderId, agent: agent?.address ?? '' };
    }
    const agent = attempt.end?.agent;
    if (agent === undefined && attempt.end !== undefined && excludeAgents.length > 0) excludeAgents = [];
    else tried += 1;
    if (agent !== undefined) excludeAgents.push(agent.id);
    lost.push(`${builderId}${agent === undefined ? '' : ` on ${agent.address}`}: ${attempt.because}`);
    log.warn('builder lost', { builderId, because: attempt.because });
  }
  throw ApplicationFailure.nonRetryable(
    `no builder took the build of ${input.service} to its end; look at the agents for builds. ${lost.join('; ')}`,
    FailureType.BuilderUnavailable,
    lost,
  );
}

/** Starts a builder, lets it do every stage, and sees it end: whatever happens, none is left behind. */
async function withBuilder(order: {
  readonly builderId: string;
  readonly startSeconds: number;
  readonly excludeAgents: readonly string[];
  readonly input: BuildInput;
}): Promise<Attempt> {
  const { builderId, startSeconds, input } = order;
  const builderOrder: BuilderOrder = { builderId, service: input.service, excludeAgents: [...order.excludeAgents] };
  const longest = startSeconds + input.build.timeoutSeconds + AROUND_SECONDS;
  setCurrentDetails(
    `Waiting for the builder ${builderId}; another one is started if it takes no work in ${startSeconds} s.`,
  );

  const running = new CancellationScope();
  const ended = settled(
    running.run(() =>
      activities<BuilderTaskActivities>(
        {
          ...READ,
          startToCloseTimeout: longest * 1000,
          scheduleToCloseTimeout: 2 * longest * 1000,
          heartbeatTimeout: HEARTBEAT_TIMEOUT,
        },
        `Builder ${builderId}`,
      ).runBuilder(builderOrder),
    ),
  );
  const working = new CancellationScope();
  const worked = settled(working.run(() => runStages(builderId, startSeconds, input)));

  const first = await Promise.race([ended.then(() => 'builder' as const), worked.then(() => 'stages' as const)]);
  if (first === 'builder') working.cancel();
  const result = await worked;
  // To cancel is how the builder is told to leave; the activity returns when Mesos says that its task has ended.
  running.cancel();
  const end = await ended;

  const told = end.ok
    ? end.value
    : await endLeft(end.error, (activityId) =>
        activities<BuilderTaskActivities>(END_LEFT, `End what is left of the builder ${builderId}`).endBuilder({
          activityId,
          order: builderOrder,
        }),
      );
  if (result.ok) return { kind: 'built', built: result.value, end: told ?? { message: 'its end is not known' } };
  const cancelled = isCancellation(result.error);
  if (cancelled ? CancellationScope.current().consideredCancelled : !isBuilderLost(result.error)) throw result.error;
  const because = !cancelled ? messageOf(result.error) : end.ok ? end.value.message : messageOf(end.error);
  // That the activity's own worker died says nothing against the agent.
  return { kind: 'lost', because, ...(end.ok ? { end: end.value } : {}) };
}

/** Every stage on one builder, one after the other. */
async function runStages(builderId: string, startSeconds: number, input: BuildInput): Promise<Built> {
  const { service, commit, version } = input;
  const stages: { stage: string; seconds: number }[] = [];
  let deadline: number | undefined;
  const done = (stage: string, seconds: number) => stages.push({ stage, seconds });
  /** What is left of the build's time; it begins when the builder has taken its first stage, not while that waits. */
  const secondsLeft = () => {
    const left = deadline === undefined ? input.build.timeoutSeconds : Math.floor((deadline - Date.now()) / 1000);
    if (left >= 1) return left;
    throw ApplicationFailure.nonRetryable(
      `the build did not end within ${input.build.timeoutSeconds} s`,
      FailureType.BuildFailed,
      { stage: stages.at(-1)?.stage ?? 'checkout', logTail: '' },
    );
  };
  const on = (stage: string, timeoutSeconds: number, takenWithinSeconds = NEXT_STAGE_WITHIN_SECONDS) => {
    setCurrentDetails(`Stage ${stage} on ${builderId}.`);
    return activities<BuilderActivities>(
      stageProfile(stage, builderId, timeoutSeconds, takenWithinSeconds),
      `${stage} of ${service} ${version}`,
    );
  };

  const first = checkoutStage(input.build);
  const checkout = await on(first.stage, first.timeoutSeconds, startSeconds).checkout({
    commit,
    timeoutSeconds: first.timeoutSeconds,
  });
  done(first.stage, checkout.seconds);
  deadline = Date.now() + (input.build.timeoutSeconds - checkout.seconds) * 1000;

  const tag = candidateTag(new Date(Date.now()).toISOString(), workflowInfo().workflowId);
  const main = { name: undefined, repository: serviceRepository(service), ...input.build };
  const tests = input.tests.map(({ name, dockerfile }) => ({
    name,
    repository: testRepository(service, name),
    dockerfile,
    context: '.',
  }));
  const images = [main, ...tests];
  const pushed: { name: string | undefined; image: BuildResult['image'] }[] = [];

  for (const { stage, command } of pipelineStages(input.build, checkout.facts)) {
    if (command !== undefined) {
      const timeoutSeconds = secondsLeft();
      const { seconds } = await on(stage, timeoutSeconds).runStage({ stage, command: [...command], timeoutSeconds });
      done(stage, seconds);
      continue;
    }
    for (const { name, repository, dockerfile, context } of images) {
      const named = name === undefined ? stage : `${stage}-${name}`;
      const timeoutSeconds = secondsLeft();
      const builder = on(named, timeoutSeconds);
      if (stage === 'image') {
        const { committedAt } = checkout;
        const { seconds } = await builder.buildImage({
          ...{ stage: named, repository, tag, dockerfile, context, commit, version, committedAt, timeoutSeconds },
        });
        done(named, seconds);
      } else {
        const { image, seconds } = await builder.pushImage({ stage: named, repository, tag, timeoutSeconds });
        pushed.push({ name, image });
        done(named, seconds);
      }
    }
  }

  const image = pushed.find(({ name }) => name === undefined)?.image;
  if (image === undefined) throw new Error('a pipeline must end with a push');
  const testImages = Object.fromEntries(
    pushed.flatMap(({ name, image }) => (name === undefined ? [] : [[name, image]])),
  );
  return { image, testImages, stages };
}

/**
 * A stage on one builder. It ends itself at its timeout; ours, a little later, is for a builder that does not answer.
 * What a builder can't reach, another one may: so it does not try long. A push is tried for as long as the build may
 * last, because a registry that collects its garbage refuses all of them for a while.
 */
function stageProfile(stage: string, builderId: string, timeoutSeconds: number, takenWithinSeconds: number): Profile {
  return {
    taskQueue: buildTaskQueue(builderId),
    scheduleToStartTimeout: takenWithinSeconds * 1000,
    startToCloseTimeout: (timeoutSeconds + 30) * 1000,
    scheduleToCloseTimeout: (takenWithinSeconds + timeoutSeconds + 60) * 1000,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: stage.startsWith('push') ? READ.retry : { ...READ.retry, maximumAttempts: 5 },
    cancellationType: READ.cancellationType,
  };
}

/** True when another builder may do better: this one does not answer, or can't reach what it needs. */
function isBuilderLost(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) return true;
  return cause instanceof ApplicationFailure && !NON_RETRYABLE_FAILURES.includes(cause.type ?? '');
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** The outcome of a promise as a value, so that a loser of a race is never an unhandled rejection. */
function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return `it did not answer (${cause.timeoutType})`;
  return cause instanceof Error ? cause.message : String(cause);
}
