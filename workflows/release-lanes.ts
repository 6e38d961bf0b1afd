import { ApplicationFailure } from '@temporalio/workflow';
import type { Bundle } from '../domain/bundle.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import type { Running } from '../domain/plan.ts';
import type { ReleaseRequest } from '../domain/release.ts';
import { type Veto, vetoOn, vetoSentence } from '../domain/veto.ts';
import { enterLane, leaveLane } from './admission.ts';
import type { Admission, AdmissionRequest } from './contract.ts';
import type { Gate } from './gate.ts';
import { type Prepared, runningOf } from './prepare.ts';
import type { ReleaseRecord } from './release-record.ts';
import { releasedSpec } from './release-spec.ts';
import { nextRevision } from './revisions.ts';
import { type Stage, untouched } from './stage.ts';

/** The lanes of a release: it asks for one, has its environment in hand, and gives it back. */
export class ReleaseLanes {
  /** What the lanes answered, by environment; filled by the `admitted` signal. */
  readonly answers = new Map<string, Admission>();
  private readonly holder: string;
  private readonly request: ReleaseRequest;
  private readonly record: ReleaseRecord;
  private readonly gate: Gate;
  /** Asked for and not given back yet. */
  private readonly asked = new Map<string, AdmissionRequest>();
  private readonly stages = new Map<string, Stage>();

  /**
   * @param holder workflow id of the release
   * @param gate asked before each forward effect in an environment
   */
  constructor(holder: string, request: ReleaseRequest, record: ReleaseRecord, gate: Gate) {
    this.holder = holder;
    this.request = request;
    this.record = record;
    this.gate = gate;
  }

  /** The environments in hand. */
  get inHand(): readonly Stage[] {
    return [...this.stages.values()];
  }

  /** Those of them in which there is something to restore. */
  get touched(): readonly Stage[] {
    return this.inHand.filter(({ touched }) => touched);
  }

  /** The environment, when it is in hand. */
  stage(environment: string | undefined): Stage | undefined {
    return environment === undefined ? undefined : this.stages.get(environment);
  }

  /**
   * The environment, in the release's hand: admitted by its lane, with the next revision's name.
   *
   * @throws ApplicationFailure `LaneBusy`, `PlanOutdated`, `Vetoed`
   */
  async enter(environment: string, prepared: Prepared, bundle: Bundle): Promise<Stage> {
    const inHand = this.stages.get(environment);
    if (inHand) return inHand;
    const { service, whenBusy } = this.request;
    const request: AdmissionRequest = { holder: this.holder, service, environment, whenBusy };
    this.asked.set(environment, request);
    const before = await enterLane(request, this.answers, this.record);
    const facts = prepared.environments.find(({ name }) => name === environment);
    if (!facts) throw new Error(`environment ${environment} is in the plan but not configured`);
    refuseVetoed(before, bundle);
    const production = facts.tier === 'production';
    if (production) refuseDrift(before, prepared);
    const revision = await nextRevision(before);
    const { scale } = prepared.manifest;
    const stage = untouched({
      ...{ facts, service, before, bundle },
      spec: await releasedSpec(prepared, bundle, facts, revision),
      ...(scale && production ? { bounds: scale } : {}),
      gate: this.gate,
    });
    this.stages.set(environment, stage);
    this.record.revision(revision);
    return stage;
  }

  /**
   * Gives an environment back, or leaves the queue for it.
   *
   * @param state what its lane shall know; absent when nothing was changed there
   * @param veto on the bundle that it went back from
   */
  async leave(environment: string, state?: LaneState, veto?: Veto): Promise<void> {
    const request = this.asked.get(environment);
    if (request) await leaveLane(request, state, veto);
    this.asked.delete(environment);
    this.stages.delete(environment);
  }

  /** Gives back all, as they were. */
  async leaveRest(): Promise<void> {
    for (const environment of [...this.asked.keys()]) await this.leave(environment);
  }
}

function refuseVetoed({ environment, vetoes }: LaneState, bundle: Bundle): void {
  const veto = vetoOn(vetoes, bundle.id);
  if (veto) throw ApplicationFailure.nonRetryable(vetoSentence(environment, veto), FailureType.Vetoed);
}

/** What runs in production must be what the plan, and so its approval, was made for. */
function refuseDrift({ current, environment }: LaneState, { plan }: Prepared): void {
  const planned = servingText(plan.from[environment] ?? undefined);
  const found = servingText(runningOf(current));
  if (found === planned) return;
  throw ApplicationFailure.nonRetryable(
    `${environment} runs ${found} now, the plan was made for ${planned}; start the release again`,
    FailureType.PlanOutdated,
  );
}

function servingText(running: Running | undefined): string {
  if (!running) return 'nothing';
  const { configVersion, revision } = running;
  return configVersion > 0 ? `${revision} with config version ${configVersion}` : revision;
}
