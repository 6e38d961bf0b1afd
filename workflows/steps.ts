import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
} from '@temporalio/workflow';
import type { RegistryActivities } from '../activities/registry/activities.ts';
import type { TestingActivities, TestOrder, TestRun } from '../activities/testing/run-test.ts';
import { approvalsOf, approversText } from '../domain/approval.ts';
import { type Bundle, bundleOf } from '../domain/bundle.ts';
import { counted } from '../domain/counted.ts';
import { serviceDnsName } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import { fitShift } from '../domain/fit-shift.ts';
import type { Step, StepKind } from '../domain/plan.ts';
import { WaitReason } from '../domain/wait.ts';
import type { Approvals } from './approvals.ts';
import type { build } from './build.ts';
import { runHold, runJudge } from './canary.ts';
import { buildWorkflowId, releaseWorkflowId, SearchAttribute, WorkflowType } from './contract.ts';
import type { Controls } from './controls.ts';
import type { Gate } from './gate.ts';
import { END_LEFT, endLeft } from './left-task.ts';
import { activities, change } from './options.ts';
import type { Prepared } from './prepare.ts';
import { wayBackReady } from './readiness.ts';
import type { ReleaseDrift } from './release-drift.ts';
import type { ReleaseRecord } from './release-record.ts';
import { bindNames, moveTraffic, retireBefore, shiftTo, startInstances } from './shift.ts';
import type { Stage } from './stage.ts';
import { waitFor } from './wait.ts';

/** What a step needs of the release that it is part of. */
export interface StepContext {
  readonly key: string;
  readonly requestedBy: string;
  readonly prepared: Prepared;
  readonly bundle: Bundle;
  readonly record: ReleaseRecord;
  /** Asked before each forward effect. */
  readonly gate: Gate;
  /** Watches beside waits that nobody else changes anything. */
  readonly drift: Pick<ReleaseDrift, 'beside'>;
  /** Suites that passed, by step and name: a step that is tried again runs them no more. */
  readonly passed: Map<string, TestRun>;
  /** What people said should be skipped. */
  readonly controls: Pick<Controls, 'isSkipped'>;
  /** Remembers what was built. */
  built(bundle: Bundle): void;
  /** The environment, in the release's hand. */
  enter(environment: string): Promise<Stage>;
  /** Waits until enough people have approved the plan. */
  readonly approvals: Pick<Approvals, 'wait'>;
}

type StepOf<Kind extends StepKind> = Extract<Step, { kind: Kind }>;

/** How each kind of step is done. Each says in one plain sentence what it did. */
const STEPS: { readonly [Kind in StepKind]: (run: StepContext, step: StepOf<Kind>) => Promise<string> } = {
  build: buildImage,
  deploy,
  test,
  promote,
  approve,
  shift,
  hold,
  judge,
  bake,
  retire,
};

/**
 * Does one step of a plan.
 *
 * @throws ActivityFailure, ChildWorkflowFailure or ApplicationFailure when it can't be done; what it changed until
 * then is the caller's to restore
 */
export function runStep<Kind extends StepKind>(run: StepContext, step: StepOf<Kind>): Promise<string> {
  const perform: (run: StepContext, step: StepOf<Kind>) => Promise<string> = STEPS[step.kind as Kind];
  return perform(run, step);
}

async function buildImage(run: StepContext, _step: StepOf<'build'>): Promise<string> {
  const { plan, manifest } = run.prepared;
  const { service, version, commit } = plan;
  await run.gate.pass(undefined, `Build ${service} ${version}`);
  const result = await executeChild<typeof build>(WorkflowType.Build, {
    workflowId: buildWorkflowId(service, run.key),
    args: [{ service, key: run.key, commit, version, build: manifest.build, tests: manifest.tests }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    typedSearchAttributes: [{ key: SearchAttribute.Service, value: service }],
    staticSummary: `Build ${service} ${version} at ${commit.slice(0, 10)}`,
    staticDetails: `Of ${releaseWorkflowId(service, run.key)}, asked for by ${run.requestedBy}.`,
  });
  run.built(
    bundleOf({
      service,
      version,
      commit,
      image: result.image,
      testImages: result.testImages,
      configVersion: plan.configVersion,
      manifestDigest: plan.manifestDigest,
    }),
  );
  const seconds = result.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  return `${result.image.repository}@${result.image.digest.slice(0, 19)} built on ${result.agent} in ${seconds.toFixed(1)} s`;
}

async function deploy(run: StepContext, step: StepOf<'deploy'>): Promise<string> {
  const stage = await run.enter(step.environment);
  await startInstances(stage, step.instances);
  await moveTraffic(stage, 100);
  await bindNames(stage);
  await retireBefore(stage, run.record);
  return `${stage.spec.revision} serves ${serviceDnsName(step.environment, stage.service)} with ${counted(step.instances, 'instance')}`;
}

async function test(run: StepContext, step: StepOf<'test'>): Promise<string> {
  const { environment } = step;
  const { bundle } = run;
  await run.gate.pass(environment, `Run ${step.suites.join(', ')} in ${environment}`);
  const ended = await Promise.allSettled(
    run.prepared.manifest.tests
      .filter((spec) => step.suites.includes(spec.name))
      .map(async ({ name, timeoutSeconds }) => {
        const image = bundle.testImages[name];
        if (!image) {
          throw ApplicationFailure.nonRetryable(
            `the bundle has no image for the tests ${name}`,
            FailureType.ImageMissing,
          );
        }
        const order = { environment, service: bundle.service, suite: name, image, timeoutSeconds };
        const result = run.passed.get(`${step.id} ${name}`) ?? (await runTest(order));
        if (result.failures === 0) run.passed.set(`${step.id} ${name}`, result);
        return { name, ...result };
      }),
  );
  // None is left running beside a second try.
  const results = ended.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
  const said = results
    .map(({ name, tests, failures, skipped }) => `${name} ${tests} tests, ${failures} failed, ${skipped} skipped`)
    .join('; ');
  const failed = results.filter(({ failures }) => failures > 0);
  if (failed.length > 0)
    throw ApplicationFailure.nonRetryable(`tests in ${environment}: ${said}`, FailureType.TestsFailed, failed);
  return said;
}

/**
 * Longest time until the container of a test runs: two minutes for an agent with room, which is more than a Mesos master
 * takes to fail over, and as long for the image.
 */
const BEFORE_TEST_SECONDS = 240;

/** One suite. Whatever happens, its container is not left behind. */
async function runTest(order: TestOrder): Promise<TestRun> {
  const { environment, service, suite, timeoutSeconds } = order;
  const which = `${suite} against ${serviceDnsName(environment, service)}`;
  try {
    const profile = change(BEFORE_TEST_SECONDS + timeoutSeconds);
    return await activities<TestingActivities>(profile, `Tests ${which}`).runTest(order);
  } catch (error) {
    await endLeft(error, (activityId) =>
      activities<TestingActivities>(END_LEFT, `End what is left of the tests ${which}`).endTest({ activityId, order }),
    );
    throw error;
  }
}

async function promote(run: StepContext, step: StepOf<'promote'>): Promise<string> {
  await run.gate.pass(undefined, `Tag the tested image ${step.tag}`);
  const { digest, changed } = await activities<RegistryActivities>(
    change(120),
    `Tag the tested image ${step.tag}`,
  ).promoteImage({ image: run.bundle.image, tag: step.tag });
  return `${step.tag} is ${digest.slice(0, 19)}${changed ? '' : ' already'}`;
}

async function approve(run: StepContext, step: StepOf<'approve'>): Promise<string> {
  const { count, environment, expiresSeconds, group } = step;
  const who = approversText(step, run.requestedBy);
  const named = group === undefined ? {} : { group };
  await run.approvals.wait({ step: step.id, count, ...named, environment, who, expiresSeconds });
  await run.gate.pass(environment, `Go on in ${environment}`);
  return `approved by ${approvalsOf(step.id, run.record.approvals)
    .map(({ by }) => by)
    .join(', ')}`;
}

async function shift(run: StepContext, step: StepOf<'shift'>): Promise<string> {
  const stage = await run.enter(step.environment);
  const { current } = stage.before;
  const planned = run.prepared.plan.from[step.environment]?.instances ?? 0;
  const target = fitShift(step, planned, current?.instances ?? 0);
  await wayBackReady(stage, target, run.record);
  await shiftTo(stage, target);
  if (target.weight === 100) await bindNames(stage);
  return `${target.weight} % of the traffic on ${counted(target.instances, 'instance')} of ${stage.spec.revision}`;
}

async function hold(run: StepContext, step: StepOf<'hold'>): Promise<string> {
  const stage = await run.enter(step.environment);
  const watched = { board: run.record, judged: run.record, isSkipped: () => run.controls.isSkipped(step.id) };
  return run.drift.beside(stage, step.seconds, () => runHold(stage, step, watched));
}

async function judge(run: StepContext, step: StepOf<'judge'>): Promise<string> {
  const stage = await run.enter(step.environment);
  const watched = { board: run.record, judged: run.record, isSkipped: () => run.controls.isSkipped(step.id) };
  const verdict = await run.drift.beside(stage, step.seconds, () => runJudge(stage, step, watched));
  return verdict?.sentence ?? 'no verdict';
}

async function bake(run: StepContext, step: StepOf<'bake'>): Promise<string> {
  const stage = await run.enter(step.environment);
  await wayBackReady(stage, { keep: stage.kept, order: stage.order }, run.record);
  const before = stage.before.current?.revision;
  const old = stage.kept > 0 ? `${before} stays warm` : `no instance of ${before} runs any more`;
  const wait = {
    reason: WaitReason.Bake,
    sentence: `${stage.spec.revision} serves all of ${step.environment}; ${before ? old : 'nothing served before it'}`,
    endedBy: 'time, or a person who skips it',
    seconds: step.seconds,
    atDeadline: before ? `${before} is retired` : 'the release ends',
  };
  await run.drift.beside(stage, step.seconds, () => waitFor(run.record, wait, () => run.controls.isSkipped(step.id)));
  return `${step.seconds} s without a call to go back`;
}

async function retire(run: StepContext, step: StepOf<'retire'>): Promise<string> {
  const stage = await run.enter(step.environment);
  await retireBefore(stage, run.record);
  const before = stage.before.current;
  return before ? `${before.revision} is gone` : 'there was no revision before';
}
