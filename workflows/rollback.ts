import { ApplicationFailure, CancellationScope, isCancellation, log, setHandler } from '@temporalio/workflow';
import type { EnvironmentActivities } from '../activities/environments/activities.ts';
import type { ReadinessActivities } from '../activities/readiness/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import type { ReadinessGap } from '../domain/readiness.ts';
import type { ReleaseFailure } from '../domain/release.ts';
import { rollbackTarget } from '../domain/rollback-target.ts';
import type { Veto } from '../domain/veto.ts';
import { enterLane, leaveLane } from './admission.ts';
import {
  type Admission,
  type AdmissionRequest,
  admittedSignal,
  type ReleaseResult,
  type RollbackInput,
  releaseQuery,
  releaseWorkflowId,
} from './contract.ts';
import { failureFrom } from './failure.ts';
import { OPEN_GATE } from './gate.ts';
import { LedgerBook } from './ledger.ts';
import { endedNotice, tellChat } from './notice.ts';
import { activities, READ, READINESS_ONCE } from './options.ts';
import { ReleaseRecord } from './release-record.ts';
import { restoreStage } from './restore.ts';
import { nextRevision } from './revisions.ts';
import { bindNames, moveTraffic, retireBefore, startInstances } from './shift.ts';
import { type Stage, stateAfter, stateRestored, untouched } from './stage.ts';
import { untilDone } from './until-done.ts';
import { untilAnswered } from './wait.ts';

/**
 * Goes back after a release has ended: an earlier bundle serves again, as a new revision, with its configuration, its
 * bounds, and as many instances as serve now. Passes no approval and no gate. What it goes away from is vetoed there, so
 * that two rollbacks in a row do not bring the bad one back. Cancelled from the Temporal UI it restores what served, and
 * ends as cancelled.
 */
export async function rollback(input: RollbackInput): Promise<ReleaseResult> {
  const { environment, key, reason, requestedBy, service } = input;
  const id = releaseWorkflowId(service, key);
  const stepId = `rollback-${environment}`;
  const book = new LedgerBook(id, service);
  const record = new ReleaseRecord(id, service, requestedBy, book, input);
  const answers = new Map<string, Admission>();
  setHandler(releaseQuery, () => record.view());
  setHandler(admittedSignal, (admission) => {
    answers.set(admission.environment, admission);
  });

  const request: AdmissionRequest = { holder: id, service, environment, whenBusy: 'wait', back: true };
  let stage: Stage | undefined;
  let state: LaneState | undefined;
  let veto: Veto | undefined;
  record.added({ id: stepId, kind: 'rollback', environment });
  record.started(stepId);
  const decidedAt = new Date().toISOString();
  let cancelled: unknown;
  try {
    stage = await stageOf(input, await enterLane(request, answers, record));
    record.built(stage.bundle);
    record.revision(stage.spec.revision);
    await startInstances(stage, stage.before.current?.instances ?? 1);
    await moveTraffic(stage, 100);
    const trafficAt = new Date().toISOString();
    // The good one serves everything by now: trouble with its names is no reason to bring the bad one back.
    const good = stage;
    await untilDone(record, `binding the names of ${service} in ${environment}`, () => bindNames(good));
    await retireBefore(stage, record);
    const { previous, ...after } = stateAfter(stage);
    state = after;
    const what = `${stage.spec.revision} serves ${stage.bundle.version}, as before ${previous?.revision}`;
    record.ended(stepId, 'done', what);
    record.rolledBack({ environment, reason, decidedAt, trafficAt, doneAt: new Date().toISOString() });
    if (previous) veto = record.vetoed(environment, previous.bundle, reason);
    record.finished('rolled-back');
  } catch (error) {
    if (isCancellation(error)) cancelled = error;
    const failure = cancelled === undefined ? failureFrom(error) : CANCELLED;
    if (!failure) throw error;
    record.ended(stepId, 'failed', failure.message);
    const touched = stage;
    if (touched?.touched) {
      await CancellationScope.nonCancellable(() =>
        untilDone(record, `going back in ${environment}`, () => restoreStage(touched, () => {})),
      );
      state = stateRestored(touched);
    }
    record.finished('failed', { ...failure, step: stepId });
  }
  await CancellationScope.nonCancellable(async () => {
    await leaveLane(request, state, veto);
    await tellChat(endedNotice(record.view()));
    // Only now: a ledger that is away holds up no way back.
    await book.write(record);
  });
  await untilAnswered();
  if (cancelled !== undefined) throw cancelled;
  const view = record.view();
  return { outcome: view.outcome ?? 'failed', view };
}

const CANCELLED: ReleaseFailure = { type: FailureType.Aborted, message: 'the workflow was cancelled' };

/** What is gone back to, as the next revision. Nothing has changed when this refuses. */
async function stageOf(input: RollbackInput, before: LaneState): Promise<Stage> {
  const { environment, service } = input;
  const found = rollbackTarget(before, input);
  if (!found.ok) throw ApplicationFailure.nonRetryable(found.message, found.type);
  const { bundle, spec, bounds = before.bounds ?? null } = found.target;
  const configured = await activities<EnvironmentActivities>(
    READ,
    'Which environments are configured',
  ).readEnvironments();
  const facts = configured.find(({ name }) => name === environment);
  if (!facts) {
    throw ApplicationFailure.nonRetryable(`${environment} is not configured`, FailureType.UnknownEnvironment);
  }
  await requireParts({ environment, service, facts, bundle, spec });
  return untouched({
    facts,
    service,
    before,
    bundle,
    spec: { ...spec, revision: await nextRevision(before) },
    ...(bounds === null ? {} : { bounds }),
    gate: OPEN_GATE,
  });
}

/**
 * What was deleted since is better known now than by instances that never start. A way back waits for no answer: what
 * can't be learnt is tried.
 */
async function requireParts(
  of: Pick<Stage, 'facts' | 'service' | 'bundle' | 'spec'> & { readonly environment: string },
) {
  const { bundle, environment, facts, service, spec } = of;
  let gaps: readonly ReadinessGap[];
  try {
    gaps = await activities<ReadinessActivities>(
      READINESS_ONCE,
      `Are image and configuration of ${bundle.version} there`,
    ).checkRollbackReadiness({
      ...{ environment, service, image: bundle.image, configVersion: bundle.configVersion },
      ...{ instances: 0, cpus: spec.cpus, memoryMiB: spec.memoryMiB, agentAttribute: facts.agentAttribute },
    });
  } catch (error) {
    if (isCancellation(error) || !failureFrom(error)) throw error;
    log.warn('image and configuration could not be looked for', { environment, service, bundle: bundle.id, error });
    return;
  }
  const [gap] = gaps;
  if (!gap) return;
  const type = gap.kind === 'image' ? FailureType.ImageMissing : FailureType.ConfigMissing;
  throw ApplicationFailure.nonRetryable(gaps.map(({ sentence }) => sentence).join('; '), type);
}

/**
 * Restores every environment that a release has touched, the last one first. Gives up on none: what fails is said,
 * and tried again until it works, since half a rollback is worse than a slow one.
 *
 * @param leave called for each environment once it is restored
 */
export async function restoreAll(
  stages: readonly Stage[],
  record: ReleaseRecord,
  reason: string,
  leave: (stage: Stage, state: LaneState) => Promise<void>,
): Promise<void> {
  for (const stage of stages.toReversed()) {
    const environment = stage.facts.name;
    const id = `rollback-${environment}`;
    const decidedAt = new Date().toISOString();
    let trafficAt: string | undefined;
    record.added({ id, kind: 'rollback', environment });
    record.started(id);
    await untilDone(record, `going back in ${environment}`, () =>
      restoreStage(stage, () => {
        trafficAt ??= new Date().toISOString();
      }),
    );
    const to = stage.before.current?.revision;
    record.undone(environment);
    record.ended(id, 'done', to ? `${to} serves as before` : 'nothing serves, as before');
    record.rolledBack({
      environment,
      reason,
      decidedAt,
      ...(trafficAt === undefined ? {} : { trafficAt }),
      doneAt: new Date().toISOString(),
    });
    await leave(stage, stateRestored(stage));
  }
}
