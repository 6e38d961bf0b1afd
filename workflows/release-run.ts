import { ApplicationFailure, CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import type { TestRun } from '../activities/testing/run-test.ts';
import { type ApprovalRequest, approvalsOf, type Group } from '../domain/approval.ts';
import { type Bundle, bundleOf, pullReference } from '../domain/bundle.ts';
import { configKey } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { isLastIn, type Plan, type Running, type Step, stepEnvironment } from '../domain/plan.ts';
import type { ReleaseFailure, ReleaseOutcome } from '../domain/release.ts';
import type { RevisionSpec } from '../domain/revision-app.ts';
import { type Veto, vetoOn, vetoSentence } from '../domain/veto.ts';
import { WaitReason } from '../domain/wait.ts';
import { enterLane, leaveLane } from './admission.ts';
import { ask } from './ask.ts';
import { type Admission, type AdmissionRequest, type ReleaseInput, releaseWorkflowId } from './contract.ts';
import { Controls } from './controls.ts';
import { failureFrom } from './failure.ts';
import { leaveFreezes, ReleaseGate } from './gate.ts';
import { LedgerBook } from './ledger.ts';
import { endedNotice, tellChat } from './notice.ts';
import { type Prepared, prepare, runningOf } from './prepare.ts';
import { ReleaseDrift } from './release-drift.ts';
import { ReleaseRecord } from './release-record.ts';
import { failureToRetry, untilRetried } from './retry.ts';
import { nextRevision } from './revisions.ts';
import { restoreAll } from './rollback.ts';
import { beginAgain, progressOf, type Stage, stateAfter, untouched } from './stage.ts';
import { type ApprovalWait, runStep, type StepContext } from './steps.ts';
import { waitFor } from './wait.ts';

/** A person's word that ends a release early. */
export interface Interruption {
  readonly outcome: Extract<ReleaseOutcome, 'aborted' | 'rolled-back'>;
  readonly type: FailureType;
  readonly by: string;
  readonly reason: string;
}

/** One run of a release: interprets its plan, and undoes what it changed when it can't go on. */
export class ReleaseRun implements StepContext {
  readonly key: string;
  readonly requestedBy: string;
  readonly record: ReleaseRecord;
  readonly gate: ReleaseGate;
  readonly controls: Controls;
  readonly passed = new Map<string, TestRun>();
  readonly drift: ReleaseDrift;
  /** What the lanes answered, by environment; filled by the `admitted` signal. */
  readonly answers = new Map<string, Admission>();
  /** What waits to be approved now. */
  pendingApproval: ApprovalRequest | undefined;
  /** Said to whoever approves when nobody did in time. */
  expired: string | undefined;
  private readonly book: LedgerBook;
  private readonly input: ReleaseInput;
  private readonly id: string;
  /** Lanes that were asked for and not given back yet. */
  private readonly asked = new Map<string, AdmissionRequest>();
  /** Environments in hand. */
  private readonly stages = new Map<string, Stage>();
  private readonly notices: Promise<void>[] = [];
  /** All forward work; cancelled when the release is interrupted. */
  private readonly forward = new CancellationScope();
  /** Why the forward way was ended from beside it, and how the release ends then where that does not follow from it. */
  private stopped: { readonly failure: ReleaseFailure; readonly outcome?: ReleaseOutcome } | undefined;
  private undoing = false;
  /** The last environment is being given back: there is no way back for this release any more. */
  private through = false;
  currentStep: Step | undefined;
  private preparedRequest: Prepared | undefined;
  private bundleInHand: Bundle | undefined;

  constructor(input: ReleaseInput) {
    const { key, request } = input;
    this.input = input;
    this.key = key;
    this.requestedBy = request.requestedBy;
    this.id = releaseWorkflowId(request.service, key);
    this.book = new LedgerBook(this.id, request.service);
    this.record = new ReleaseRecord(this.id, request.service, request.requestedBy, this.book, request);
    this.drift = new ReleaseDrift(this.id, this.record, (failure) => this.stop(failure));
    const watcher = { holder: this.id, service: request.service };
    this.gate = new ReleaseGate(watcher, request.requestedBy, this.record, this.drift);
    this.controls = new Controls(this);
  }

  /** The request with its plan; only after the release has been prepared. */
  get prepared(): Prepared {
    if (!this.preparedRequest) throw new Error('the release is not prepared yet');
    return this.preparedRequest;
  }

  /** Absent while the release is prepared. */
  get plan(): Plan | undefined {
    return this.preparedRequest?.plan;
  }

  /** Whose approval the plan asks for. */
  get groups(): readonly Group[] {
    return this.preparedRequest?.groups ?? [];
  }

  /** What is being released; only after it was built. */
  get bundle(): Bundle {
    if (!this.bundleInHand) throw new Error('the release has no bundle yet');
    return this.bundleInHand;
  }

  /** True while a command may still change where the release goes. */
  get isForward(): boolean {
    return !this.record.isOver && !this.undoing && !this.through && this.stopped === undefined;
  }

  /** True when something outside has changed that a rollback would restore. */
  get hasTouched(): boolean {
    return [...this.stages.values()].some(({ touched }) => touched);
  }

  /**
   * Runs to the end. A business failure is an outcome.
   *
   * @throws CancelledFailure when the workflow itself was cancelled, after everything is restored
   */
  async run(): Promise<void> {
    let cancelledFromOutside: unknown;
    try {
      await this.forward.run(async () => {
        this.preparedRequest = await prepare(this.input.request);
        const { source } = this.input.request;
        const { environments, manifest, plan } = this.prepared;
        this.gate.rule({ environments, windows: manifest.release.windows });
        this.record.planned(plan);
        // With another configuration it is another bundle, and so has another id.
        if (source.kind === 'bundle') this.built(bundleOf({ ...source.bundle, configVersion: plan.configVersion }));
        for (const [index, step] of plan.steps.entries()) await this.perform(step, index);
      });
      this.finish('released');
    } catch (error) {
      const failure = this.failureOf(error);
      if (isCancellation(error) && this.stopped === undefined) cancelledFromOutside = error;
      await CancellationScope.nonCancellable(() => this.undo(failure));
    } finally {
      await CancellationScope.nonCancellable(() => Promise.all(this.notices));
    }
    if (this.gate.watches) await CancellationScope.nonCancellable(() => leaveFreezes(this.id));
    // Nothing waits for this any more: the lanes are given back, and people were told.
    await CancellationScope.nonCancellable(() => this.book.write(this.record));
    if (cancelledFromOutside !== undefined) throw cancelledFromOutside;
  }

  /** Ends the forward way now: what runs is cancelled, then everything in hand is restored. */
  interrupt({ by, outcome, reason, type }: Interruption): void {
    this.book.note({ kind: 'stopped', at: new Date().toISOString(), by, type, reason });
    this.stop({ type, message: `${by}: ${reason}` }, outcome);
  }

  private stop(failure: ReleaseFailure, outcome?: ReleaseOutcome): void {
    if (!this.isForward) return;
    this.stopped = { failure, ...(outcome === undefined ? {} : { outcome }) };
    this.forward.cancel();
  }

  /** Another release wants the place of this one: it gives way while nothing in that environment has changed. */
  supersede(by: string, environment: string): void {
    if (!this.isForward || this.hasTouched) return;
    const reason = `takes its place in ${environment}`;
    this.interrupt({ outcome: 'aborted', type: FailureType.Superseded, by, reason });
  }

  built(bundle: Bundle): void {
    this.bundleInHand = bundle;
    this.record.built(bundle);
  }

  /**
   * The environment, in the release's hand: admitted by its lane, with the next revision's name.
   *
   * @throws ApplicationFailure `LaneBusy`, `PlanOutdated`, `Vetoed`
   */
  async enter(environment: string): Promise<Stage> {
    const inHand = this.stages.get(environment);
    if (inHand) return inHand;
    const { service, whenBusy } = this.input.request;
    const request: AdmissionRequest = { holder: this.id, service, environment, whenBusy };
    this.asked.set(environment, request);
    const before = await enterLane(request, this.answers, this.record);
    const facts = this.factsOf(environment);
    this.refuseVetoed(before);
    if (facts.tier === 'production') this.refuseDrift(before);
    const revision = await nextRevision(before);
    const { scale } = this.prepared.manifest;
    const stage = untouched({
      facts,
      service,
      before,
      bundle: this.bundle,
      spec: await this.specOf(facts, revision),
      ...(scale && facts.tier === 'production' ? { bounds: scale } : {}),
      gate: this.gate,
    });
    this.stages.set(environment, stage);
    this.record.revision(revision);
    return stage;
  }

  /** Waits until enough people have approved the plan. @throws ApplicationFailure `ApprovalExpired` */
  async approvals(wait: ApprovalWait): Promise<void> {
    const { step, count, group: name, environment, who, expiresSeconds } = wait;
    const { plan } = this.prepared;
    const deadline = new Date(Date.now() + expiresSeconds * 1000).toISOString();
    const group = this.groups.find((each) => each.name === name);
    this.pendingApproval = {
      ...{ step, planDigest: plan.digest, count, requestedBy: this.requestedBy, deadline },
      ...(group === undefined ? {} : { group }),
    };
    const what = `${plan.service} ${plan.version}`;
    const command = `approve ${this.id} ${plan.digest}`;
    const text = {
      en: `${what} waits for approval to go to ${environment}: ${command}`,
      zh: `${what} 等待批准发布到 ${environment}：${command}`,
    };
    this.notices.push(tellChat({ kind: 'approval', release: this.id, text }));
    try {
      const sentence = `waiting for approval to go to ${environment}`;
      const endedBy = `an approval by ${who}`;
      const atDeadline = 'the release ends as failed';
      const asked = { reason: WaitReason.Approval, sentence, endedBy, seconds: expiresSeconds, atDeadline };
      const isEnough = () => approvalsOf(step, this.record.approvals).length >= count || this.controls.isSkipped(step);
      const waiting = () => waitFor(this.record, asked, isEnough);
      const stage = this.stages.get(environment);
      const approved = await (stage ? this.drift.beside(stage, expiresSeconds, waiting) : waiting());
      if (!approved) {
        this.expired = `approvals were waited for until ${deadline}`;
        throw ApplicationFailure.nonRetryable(`nobody approved in ${expiresSeconds} s`, FailureType.ApprovalExpired);
      }
    } finally {
      this.pendingApproval = undefined;
    }
  }

  private async perform(step: Step, index: number): Promise<void> {
    this.currentStep = step;
    this.record.started(step.id);
    // What is not written down does not happen.
    await this.book.write(this.record);
    for (const stage of this.stages.values()) stage.completed.clear();
    const said = this.controls.skippedBy(step.id) ?? (await this.tryStep(step));
    // An activity that was told to stop may end well all the same. The word that stopped it holds.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(`stopped in ${step.id}`);
    const skipped = this.controls.skippedBy(step.id);
    this.record.ended(step.id, skipped === undefined ? 'done' : 'skipped', skipped ?? said);
    this.currentStep = undefined;
    const stage = this.stageOf(step);
    if (!stage || !isLastIn(this.prepared.plan.steps, index)) return;
    this.through = index === this.prepared.plan.steps.length - 1;
    // Not to be cut short: a lane that is not told what serves now would take the revision before for it.
    await CancellationScope.nonCancellable(() => this.leave(stage.facts.name, stateAfter(stage)));
  }

  /** Does a step. One that fails may be tried again, as long as the manifest says. */
  private async tryStep(step: Step): Promise<string> {
    const { retryWithinSeconds } = this.prepared.manifest.release;
    const began = progressOf(this.stageOf(step));
    for (;;) {
      try {
        return await runStep(this, step);
      } catch (error) {
        const failure = retryWithinSeconds > 0 ? failureToRetry(step, error) : undefined;
        if (!failure || CancellationScope.current().consideredCancelled) throw error;
        this.record.ended(step.id, 'failed', failure.message);
        if (!(await untilRetried(step, failure, retryWithinSeconds, this.controls, this.record))) throw error;
        beginAgain(this.stageOf(step), began);
        this.record.started(step.id);
        await this.book.write(this.record);
      }
    }
  }

  private stageOf(step: Step): Stage | undefined {
    return this.stages.get(stepEnvironment(step) ?? '');
  }

  private async undo(failure: ReleaseFailure): Promise<void> {
    this.undoing = true;
    this.drift.end();
    if (this.currentStep) this.record.ended(this.currentStep.id, 'failed', failure.message);
    this.record.skipRest();
    const touched = [...this.stages.values()].filter((stage) => stage.touched);
    const wasLive = touched.some(({ facts }) => facts.tier === 'production');
    const byItself = NO_FAULT.has(failure.type) ? 'aborted' : wasLive ? 'rolled-back' : 'failed';
    const outcome = this.stopped?.outcome ?? byItself;
    await restoreAll(touched, this.record, failure.message, ({ bundle, facts }, state) => {
      // An abort says nothing of the bundle; whoever rolls it back, or the judge, does.
      const banned = outcome === 'rolled-back' && facts.tier === 'production';
      return this.leave(
        facts.name,
        state,
        banned ? this.record.vetoed(facts.name, bundle, failure.message) : undefined,
      );
    });
    for (const environment of [...this.asked.keys()]) await this.leave(environment);
    this.finish(outcome, failure);
  }

  private async leave(environment: string, state?: LaneState, veto?: Veto): Promise<void> {
    const request = this.asked.get(environment);
    if (request) await leaveLane(request, state, veto);
    this.asked.delete(environment);
    this.stages.delete(environment);
  }

  private finish(outcome: ReleaseOutcome, failure?: ReleaseFailure): void {
    this.record.finished(outcome, failure);
    this.notices.push(tellChat(endedNotice(this.record.view())));
  }

  private failureOf(error: unknown): ReleaseFailure {
    const step = this.currentStep ? { step: this.currentStep.id } : {};
    if (this.stopped) return { ...this.stopped.failure, ...step };
    if (isCancellation(error)) return { type: FailureType.Aborted, message: 'the workflow was cancelled', ...step };
    const failure = failureFrom(error);
    if (!failure) throw error;
    return { ...failure, ...step };
  }

  private factsOf(environment: string): EnvironmentFacts {
    const facts = this.prepared.environments.find(({ name }) => name === environment);
    if (!facts) throw new Error(`environment ${environment} is in the plan but not configured`);
    return facts;
  }

  private refuseVetoed({ environment, vetoes }: LaneState): void {
    const veto = vetoOn(vetoes, this.bundle.id);
    if (veto) throw ApplicationFailure.nonRetryable(vetoSentence(environment, veto), FailureType.Vetoed);
  }

  /** What runs in production must be what the plan, and so its approval, was made for. */
  private refuseDrift(before: LaneState): void {
    const { environment, current } = before;
    const planned = servingText(this.prepared.plan.from[environment] ?? undefined);
    const found = servingText(runningOf(current));
    if (found === planned) return;
    throw ApplicationFailure.nonRetryable(
      `${environment} runs ${found} now, the plan was made for ${planned}; start the release again`,
      FailureType.PlanOutdated,
    );
  }

  private async specOf(facts: EnvironmentFacts, revision: string): Promise<RevisionSpec> {
    const { manifest, plan } = this.prepared;
    const { service, run } = manifest;
    const environment = facts.name;
    const version = plan.configVersion;
    if (version > 0) await this.requireConfig(environment, version);
    const own = manifest.environments.find(({ name }) => name === environment);
    return {
      environment,
      service,
      revision,
      bundle: this.bundle.id,
      image: pullReference(facts.registry, this.bundle.image),
      env: {
        ...run.env,
        ...own?.env,
        SLIPWAY_VERSION: this.bundle.version,
        ...(version > 0 ? { SLIPWAY_CONFIG_KEY: configKey(environment, service, version) } : {}),
      },
      cpus: run.cpus,
      memoryMiB: run.memoryMiB,
      healthPath: run.healthPath,
      startSeconds: run.startSeconds,
      instances: 0,
      agentAttribute: facts.agentAttribute,
    };
  }

  private async requireConfig(environment: string, version: number): Promise<void> {
    const { service } = this.input.request;
    const found = await ask<ConsulActivities, unknown>(
      `Config version ${version} of ${service} in ${environment}`,
      (consul) => consul.resolveConfig({ environment, service, version }),
    );
    if (found) return;
    throw ApplicationFailure.nonRetryable(
      `version ${version} of the configuration of ${service} is not published in ${environment}`,
      FailureType.ConfigMissing,
    );
  }
}

/** Failures that say nothing of the bundle: the release ends as aborted. */
const NO_FAULT: ReadonlySet<string> = new Set([FailureType.Superseded, FailureType.HeldTooLong]);

function servingText(running: Running | undefined): string {
  if (!running) return 'nothing';
  const { configVersion, revision } = running;
  return configVersion > 0 ? `${revision} with config version ${configVersion}` : revision;
}
