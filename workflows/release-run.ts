import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { TestRun } from '../activities/testing/run-test.ts';
import type { Group } from '../domain/approval.ts';
import type { Bundle } from '../domain/bundle.ts';
import { FailureType } from '../domain/failures.ts';
import { isLastIn, type Plan, type Step, stepEnvironment } from '../domain/plan.ts';
import type { ReleaseFailure, ReleaseOutcome } from '../domain/release.ts';
import { Approvals } from './approvals.ts';
import { type ReleaseInput, releaseWorkflowId } from './contract.ts';
import { Controls } from './controls.ts';
import { failureFrom } from './failure.ts';
import { leaveFreezes, ReleaseGate } from './gate.ts';
import { LedgerBook } from './ledger.ts';
import { endedNotice, type Notice, tellChat } from './notice.ts';
import { type Prepared, prepare, withConfig } from './prepare.ts';
import { ReleaseDrift } from './release-drift.ts';
import { ReleaseLanes } from './release-lanes.ts';
import { ReleaseRecord } from './release-record.ts';
import { failureToRetry, untilRetried } from './retry.ts';
import { restoreAll } from './rollback.ts';
import { beginAgain, progressOf, type Stage, stateAfter } from './stage.ts';
import { runStep, type StepContext } from './steps.ts';

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
  readonly lanes: ReleaseLanes;
  readonly approvals: Approvals;
  /** Workflow id. */
  readonly id: string;
  private readonly book: LedgerBook;
  private readonly input: ReleaseInput;
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
    this.lanes = new ReleaseLanes(this.id, request, this.record, this.gate);
    this.controls = new Controls(this);
    this.approvals = new Approvals(this);
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
    return this.lanes.touched.length > 0;
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
        if (source.kind === 'bundle') this.built(withConfig(source.bundle, plan.configVersion));
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

  enter(environment: string): Promise<Stage> {
    return this.lanes.enter(environment, this.prepared, this.bundle);
  }

  tell(notice: Notice): void {
    this.notices.push(tellChat(notice));
  }

  private async perform(step: Step, index: number): Promise<void> {
    this.currentStep = step;
    this.record.started(step.id);
    // What is not written down does not happen.
    await this.book.write(this.record);
    for (const stage of this.lanes.inHand) stage.completed.clear();
    const said = this.controls.skippedBy(step.id) ?? (await this.tryStep(step));
    // An activity that was told to stop may end well all the same. The word that stopped it holds.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(`stopped in ${step.id}`);
    const skipped = this.controls.skippedBy(step.id);
    this.record.ended(step.id, skipped === undefined ? 'done' : 'skipped', skipped ?? said);
    this.currentStep = undefined;
    const { steps } = this.prepared.plan;
    const stage = this.stageOf(step);
    if (!stage || !isLastIn(steps, index)) return;
    this.through = index === steps.length - 1;
    // Not to be cut short: a lane that is not told what serves now would take the revision before for it.
    await CancellationScope.nonCancellable(() => this.lanes.leave(stage.facts.name, stateAfter(stage)));
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
    return this.lanes.stage(stepEnvironment(step));
  }

  private async undo(failure: ReleaseFailure): Promise<void> {
    this.undoing = true;
    this.drift.end();
    if (this.currentStep) this.record.ended(this.currentStep.id, 'failed', failure.message);
    this.record.skipRest();
    const { touched } = this.lanes;
    const wasLive = touched.some(({ facts }) => facts.tier === 'production');
    const isNoFault = NO_FAULT.has(failure.type) || (wasLive && failure.type === FailureType.Drifted);
    const byItself = isNoFault ? 'aborted' : wasLive ? 'rolled-back' : 'failed';
    const outcome = this.stopped?.outcome ?? byItself;
    await restoreAll(touched, this.record, failure.message, ({ bundle, facts }, state) => {
      // An abort says nothing of the bundle; whoever rolls it back, or the judge, does.
      const veto = outcome === 'rolled-back' ? this.record.vetoed(facts.name, bundle, failure.message) : undefined;
      return this.lanes.leave(facts.name, state, veto);
    });
    await this.lanes.leaveRest();
    this.finish(outcome, failure);
  }

  private finish(outcome: ReleaseOutcome, failure?: ReleaseFailure): void {
    this.record.finished(outcome, failure);
    this.tell(endedNotice(this.record.view()));
  }

  private failureOf(error: unknown): ReleaseFailure {
    const step = this.currentStep ? { step: this.currentStep.id } : {};
    if (this.stopped) return { ...this.stopped.failure, ...step };
    if (isCancellation(error)) return { type: FailureType.Aborted, message: 'the workflow was cancelled', ...step };
    const failure = failureFrom(error);
    if (!failure) throw error;
    return { ...failure, ...step };
  }
}

/** Failures that say nothing of the bundle: the release ends as aborted. Also when the workflow itself was cancelled. */
const NO_FAULT: ReadonlySet<string> = new Set([FailureType.Aborted, FailureType.Superseded, FailureType.HeldTooLong]);
