import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LaneActivities } from '../activities/lane/activities.ts';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import { lineUp } from '../domain/admission.ts';
import { decideInstances } from '../domain/autoscale/stabilise.ts';
import { counted } from '../domain/counted.ts';
import { revisionAppId } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { refuseLift, type Veto, vetoOn, withoutVeto, withVeto } from '../domain/veto.ts';
import { type Wait, WaitReason } from '../domain/wait.ts';
import {
  type Admission,
  type AdmissionRequest,
  admitSignal,
  admittedSignal,
  type LaneCarried,
  type LaneInput,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  leaveSignal,
  liftVetoUpdate,
  type ScaleWish,
  SearchAttribute,
  scaleSignal,
  supersededSignal,
} from './contract.ts';
import { LedgerBook } from './ledger.ts';
import { activities, change as changing, READ } from './options.ts';
import { highestRevision } from './revisions.ts';
import { waitFor } from './wait.ts';

/** How often a lane looks whether the release that holds it still runs. A release that was terminated cannot say so. */
const HOLDER_CHECK_SECONDS = 60;

// It lives for ever: it moves to the current version of the code, whose replay the stored histories of lanes hold. Of a
// worker without a version Temporal takes no word on versions.
setWorkflowOptions(
  () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {}),
  lane,
);

/**
 * One service in one environment: the only writer of its apps, traffic and scale. It admits one release at a time;
 * between releases it applies what autoscaling asks for. Lives for ever and continues as new.
 */
export async function lane(input: LaneInput): Promise<never> {
  const { environment, service } = input;
  let state: LaneState = input.carried?.state ?? { environment, service, lastRevision: 0 };
  let holder = input.carried?.holder;
  let queue: AdmissionRequest[] = [...(input.carried?.queue ?? [])];
  let wishes: ScaleWish[] = [...(input.carried?.wishes ?? [])];
  /** Answers that are still to be sent: signals to other workflows are not sent from handlers. */
  const answers: AdmissionRequest[] = [];
  const supersessions: { readonly loser: string; readonly by: string; readonly held: boolean }[] = [];
  let newWish = false;
  /** What the last wish rests on. */
  let load = '';
  let lastScaling: string | undefined;
  /** The last scaling has not come to its end: the same target is to be driven on. */
  let unreached = input.carried?.unreached ?? false;
  let wait: Wait | undefined;
  const book = new LedgerBook(laneWorkflowId(environment, service), service);

  setHandler(
    laneQuery,
    (): LaneView => ({
      state,
      ...(holder === undefined ? {} : { holder }),
      queue: queue.map((request) => request.holder),
      ...(wait === undefined ? {} : { wait }),
    }),
  );
  setHandler(admitSignal, (request) => {
    const lined = lineUp(request, { holder, queue, drifts: false });
    queue = [...lined.queue];
    if (lined.answerNow) answers.push(request);
    const { superseded } = lined;
    supersessions.push(...superseded.map((loser) => ({ loser: loser.holder, by: request.holder, held: false })));
    if (lined.tellHolder && holder !== undefined) supersessions.push({ loser: holder, by: request.holder, held: true });
  });
  setHandler(leaveSignal, (request) => {
    queue = queue.filter((queued) => queued.holder !== request.holder);
    if (holder !== request.holder) return;
    if (request.state !== undefined) {
      // Vetoes may have been lifted since it came.
      const vetoes = request.veto === undefined ? state.vetoes : withVeto(state.vetoes, request.veto);
      state = { ...request.state, ...(vetoes === undefined ? {} : { vetoes }) };
      unreached = false;
    }
    holder = undefined;
    // Wishes from before were made for another number of instances.
    wishes = [];
    newWish = false;
  });
  setHandler(liftVetoUpdate, ({ bundle, by, reason }) => lift(bundle, by, reason), {
    validator: ({ bundle }) => {
      const refusal = refuseLift(state.vetoes, bundle);
      if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
    },
  });
  setHandler(scaleSignal, ({ wish, because }) => {
    wishes.push(wish);
    load = because;
    newWish = true;
  });
  upsertSearchAttributes([
    { key: SearchAttribute.Service, value: service },
    { key: SearchAttribute.Environment, value: environment },
  ]);

  // Beside everything else: a ledger that is away holds up nothing of a lane.
  void book.keepWriting();
  const isAsked = () => answers.length > 0 || supersessions.length > 0;
  const hasWork = () => isAsked() || (holder === undefined && (queue.length > 0 || newWish));
  for (;;) {
    setCurrentDetails(describe());
    if (holder === undefined) await condition(() => hasWork() || mayContinueAsNew());
    else if (!(await held(holder))) await takeBackFromDead(holder);
    if (hasWork()) await work();
    else if (mayContinueAsNew()) {
      await condition(allHandlersFinished);
      const carried: LaneCarried = { state, queue, wishes, unreached, ...(holder === undefined ? {} : { holder }) };
      await continueAsNew<typeof lane>({ environment, service, carried });
    }
  }

  /** Waits while a release holds the lane; false when it is time to see whether that release still runs. */
  function held(by: string): Promise<boolean> {
    return waitFor(
      { show: (shown) => (wait = shown) },
      {
        reason: WaitReason.Held,
        sentence: `${by} holds the lane`,
        endedBy: 'that release, when it ends',
        seconds: HOLDER_CHECK_SECONDS,
        atDeadline: 'it is looked whether that release still runs',
      },
      () => holder === undefined || hasWork() || mayContinueAsNew(),
    );
  }

  /** A lane lives for ever: what it can't learn now it asks again at the next check. */
  async function takeBackFromDead(asked: string): Promise<void> {
    let lastRevision: number;
    try {
      const ask = activities<LaneActivities>(READ, `Does ${asked} still run`);
      if ((await ask.describeHolder({ holder: asked })).running) return;
      lastRevision = await highestRevision(state);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.warn('the holder could not be checked', { holder: asked, service, environment, error });
      return;
    }
    // Its word may have come while we asked; then the state is what it left.
    if (holder !== asked) return;
    log.warn('the release that held the lane has ended without leaving it', { holder: asked, service, environment });
    state = { ...state, lastRevision };
    holder = undefined;
  }

  function mayContinueAsNew(): boolean {
    return workflowInfo().continueAsNewSuggested && book.isWritten;
  }

  function lift(bundle: string, by: string, reason: string): Veto {
    const veto = vetoOn(state.vetoes, bundle);
    if (veto === undefined) throw new Error(`the veto on ${bundle} was there when the lift of it was taken`);
    state = { ...state, vetoes: withoutVeto(state.vetoes, bundle) };
    book.note({ kind: 'veto-lifted', at: new Date().toISOString(), environment, veto, by, reason });
    return veto;
  }

  async function work(): Promise<void> {
    for (const { by, held, loser } of supersessions.splice(0)) {
      if (held) await tell(loser, () => getExternalWorkflowHandle(loser).signal(supersededSignal, { environment, by }));
      else await answer(loser, { environment, admitted: false, ...supersededBy(by) });
    }
    for (const request of answers.splice(0)) {
      if (holder === request.holder) await answer(request.holder, { environment, admitted: true, state });
      else if (holder === undefined) queue.push(request);
      else await answer(request.holder, { environment, admitted: false, ...busyWith(holder) });
    }
    const next = holder === undefined ? queue.shift() : undefined;
    if (next) {
      holder = next.holder;
      const told = await answer(next.holder, { environment, admitted: true, state });
      if (!told && holder === next.holder) holder = undefined;
    } else if (holder === undefined && newWish) {
      await scale();
    }
  }

  function answer(asked: string, admission: Admission): Promise<boolean> {
    return tell(asked, () => getExternalWorkflowHandle(asked).signal(admittedSignal, admission));
  }

  /** True when the release was told; false when it has ended. */
  async function tell(asked: string, send: () => Promise<void>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      log.warn('a release that asked for the lane has ended', { holder: asked, service, environment, error });
      return false;
    }
  }

  function busyWith(by: string) {
    return { type: FailureType.LaneBusy, because: `${by} holds ${environment} and was not to be waited for` };
  }

  async function scale(): Promise<void> {
    newWish = false;
    const { current, bounds } = state;
    if (!current || !bounds) return;
    const decision = decideInstances({
      wishes,
      current: current.instances,
      bounds,
      now: new Date().toISOString(),
    });
    wishes = [...decision.wishes];
    const { instances, because } = decision;
    if (instances === current.instances && !unreached) return;
    // The target is remembered before it is reached: a scaling that fails half way is driven on by the next wish.
    state = { ...state, current: { ...current, instances } };
    unreached = true;
    const target = instances === current.instances ? `on to ${instances}` : `from ${current.instances} to ${instances}`;
    const change = `Scale ${current.revision} ${target}: ${because} (${load})`;
    setCurrentDetails(change);
    log.info('scaling', { service, environment, from: current.instances, to: instances, because });
    try {
      await activities<MarathonActivities>(changing(current.spec.startSeconds), change).scaleRevision({
        environment,
        appId: revisionAppId(environment, service, current.revision),
        instances,
        waitHealthy: true,
        deadlineSeconds: current.spec.startSeconds,
      });
      lastScaling = change;
      unreached = false;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      lastScaling = `${change}; it did not come to that: ${error.cause?.message ?? error.message}`;
      log.warn('scaling failed', { service, environment, error });
    }
  }

  function describe(): string {
    const { current } = state;
    return [
      current
        ? `${current.revision} (${current.bundle.version}) serves with ${counted(current.instances, 'instance')}`
        : 'nothing serves',
      holder === undefined ? 'idle' : `held by ${holder}`,
      ...(queue.length > 0 ? [`waiting: ${queue.map((request) => request.holder).join(', ')}`] : []),
      ...(lastScaling === undefined ? [] : [lastScaling]),
    ].join('\n\n');
  }
}

function supersededBy(by: string) {
  return { type: FailureType.Superseded, because: `${by} has taken its place` };
}
