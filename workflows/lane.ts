import {
  ActivityFailure,
  ApplicationFailure,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LaneActivities } from '../activities/lane/activities.ts';
import { lineUp } from '../domain/admission.ts';
import { counted } from '../domain/counted.ts';
import { type Expected, expectedOf, lastingTolerance } from '../domain/drift.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { refuseLift, type Veto, vetoOn, withoutVeto, withVeto } from '../domain/veto.ts';
import { type Wait, WaitReason } from '../domain/wait.ts';
import { refuseWord } from '../domain/word.ts';
import {
  type Admission,
  type AdmissionRequest,
  admitSignal,
  admittedSignal,
  adoptUpdate,
  type CommandInput,
  type LaneCarried,
  type LaneInput,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  leaveSignal,
  liftVetoUpdate,
  revertUpdate,
  SearchAttribute,
  scaleSignal,
  supersededSignal,
} from './contract.ts';
import { LaneDrift } from './lane-drift.ts';
import { LaneScaling } from './lane-scaling.ts';
import { LedgerBook } from './ledger.ts';
import { activities, READ } from './options.ts';
import { highestRevision } from './revisions.ts';
import { idleUntil, untilAnswered, type WaitBoard, waitFor } from './wait.ts';

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
  /** Answers that are still to be sent: signals to other workflows are not sent from handlers. */
  const answers: AdmissionRequest[] = [];
  const supersessions: { readonly loser: string; readonly by: string; readonly held: boolean }[] = [];
  const scaling = new LaneScaling(input.carried);
  let wait: Wait | undefined;
  const book = new LedgerBook(laneWorkflowId(environment, service), service);
  const board: WaitBoard = { show: (shown) => (wait = shown) };
  /** False in runs that began before hand-made changes were looked for. */
  const watches = patched('drift');
  const drift = new LaneDrift(input, input.carried?.drift, book);
  /** Those in the queue that know that a hand-made change holds them up. */
  const heldUp = new Set<string>();
  let stage: string | undefined;

  setHandler(laneQuery, (): LaneView => {
    const open = drift.view();
    return {
      state,
      ...(holder === undefined ? {} : { holder }),
      queue: queue.map((request) => request.holder),
      ...(wait === undefined ? {} : { wait }),
      ...(open === undefined ? {} : { drift: open }),
    };
  });
  setHandler(admitSignal, (request) => {
    const lined = lineUp(request, { holder, queue, drifts: drift.isOpen });
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
      state = { ...withLasting(request.state, state), ...(vetoes === undefined ? {} : { vetoes }) };
      scaling.reached();
    }
    holder = undefined;
    // Wishes from before were made for another number of instances.
    scaling.forget();
  });
  setHandler(liftVetoUpdate, ({ bundle, by, reason }) => lift(bundle, by, reason), {
    validator: (command) => {
      const refusal = refuseWord(command, 'by', 'reason', 'bundle') ?? refuseLift(state.vetoes, command.bundle);
      if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
    },
  });
  setHandler(scaleSignal, (signal) => scaling.wish(signal));
  setHandler(adoptUpdate, (command: CommandInput) => drift.want({ ...command, verb: 'adopt' }), {
    validator: (command: CommandInput) => drift.refuse(command),
  });
  setHandler(revertUpdate, (command: CommandInput) => drift.want({ ...command, verb: 'revert' }), {
    validator: (command: CommandInput) => drift.refuse(command),
  });
  upsertSearchAttributes([
    { key: SearchAttribute.Service, value: service },
    { key: SearchAttribute.Environment, value: environment },
  ]);

  // Beside everything else: a ledger that is away holds up nothing of a lane.
  void book.keepWriting();
  const isAsked = () => answers.length > 0 || supersessions.length > 0;
  const mayEnter = () => queue[0] !== undefined && (!drift.isOpen || queue[0].back === true);
  const isFree = () => mayEnter() || (drift.isOpen ? queue.some(({ holder }) => !heldUp.has(holder)) : scaling.isAsked);
  const hasWork = () => isAsked() || (holder === undefined && (drift.hasWork || isFree()));
  for (;;) {
    setCurrentDetails(describe());
    showStage();
    if (holder === undefined) await idle();
    else if (!(await held(holder))) await takeBackFromDead(holder);
    if (hasWork()) await work();
    else if (mayContinueAsNew()) {
      await untilAnswered();
      const carried: LaneCarried = {
        state,
        queue,
        ...scaling.carried,
        ...(holder === undefined ? {} : { holder }),
        ...(drift.carried && { drift: drift.carried }),
      };
      await continueAsNew<typeof lane>({ environment, service, carried });
    }
  }

  /** Waits until there is something to do, and watches meanwhile that nobody else changes anything. */
  async function idle(): Promise<void> {
    if (watches) drift.over(expected());
    const wasOpen = drift.isOpen;
    const ended = () => hasWork() || drift.isOpen !== wasOpen || mayContinueAsNew();
    if (wasOpen) await drift.show(board, ended);
    else await idleUntil(ended);
    if (!drift.isOpen) heldUp.clear();
  }

  /** Nothing while a scaling has not come to its end counts as known, but how many instances there are. */
  function expected(): Expected | undefined {
    return expectedOf(state, scaling.unreached);
  }

  function showStage(): void {
    const now = holder !== undefined ? 'held' : drift.isOpen ? 'drift' : 'idle';
    if (!watches || now === stage) return;
    stage = now;
    upsertSearchAttributes([{ key: SearchAttribute.Stage, value: now }]);
  }

  /** Waits while a release holds the lane; false when it is time to see whether that release still runs. */
  function held(by: string): Promise<boolean> {
    return waitFor(
      board,
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
    if (holder !== undefined) return;
    if (drift.hasWork) await resolveDrift();
    else if (mayEnter()) await admit();
    else if (drift.isOpen) await holdUp();
    else if (scaling.isAsked) await scale();
  }

  /** Admits the first of the queue, unless what it would build upon was changed by hand. */
  async function admit(): Promise<void> {
    const [next] = queue;
    if (!next) return;
    const wanted = next.back ? undefined : expected();
    if (watches && wanted && !(await drift.isAsExpected(wanted))) return;
    // It may have left, and another one may have come before it, while it was looked.
    if (queue[0] !== next || holder !== undefined) return;
    queue = queue.slice(1);
    drift.clear();
    holder = next.holder;
    const told = await answer(next.holder, { environment, admitted: true, state });
    if (!told && holder === next.holder) holder = undefined;
  }

  /** Tells all that wait that a hand-made change holds them up; those that would not wait are refused. */
  async function holdUp(): Promise<void> {
    const because = `${service} in ${environment} was changed by hand: ${drift.sentence}`;
    const untold = queue.filter((request) => request.back !== true && !heldUp.has(request.holder));
    for (const { holder: asked, whenBusy } of untold) {
      heldUp.add(asked);
      if (whenBusy === 'refuse') {
        queue = queue.filter((queued) => queued.holder !== asked);
        await answer(asked, { environment, admitted: false, type: FailureType.Drifted, because });
      } else {
        const endedBy = 'a person who adopts or reverts it in the lane';
        await answer(asked, { environment, admitted: 'later', because, endedBy });
      }
    }
  }

  async function resolveDrift(): Promise<void> {
    const wanted = expected();
    if (wanted) state = await drift.resolve(state, wanted);
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

  function scale(): Promise<void> {
    return scaling.apply(state, (next) => {
      drift.stop();
      state = next;
    });
  }

  function describe(): string {
    const { current } = state;
    return [
      current
        ? `${current.revision} (${current.bundle.version}) serves with ${counted(current.instances, 'instance')}`
        : 'nothing serves',
      holder === undefined ? 'idle' : `held by ${holder}`,
      ...(drift.isOpen ? [`changed by hand: ${drift.sentence}`] : []),
      ...(queue.length > 0 ? [`waiting: ${queue.map((request) => request.holder).join(', ')}`] : []),
      ...(scaling.said === undefined ? [] : [scaling.said]),
    ].join('\n\n');
  }
}

function supersededBy(by: string) {
  return { type: FailureType.Superseded, because: `${by} has taken its place` };
}

/** What a release leaves behind, with what of the lane's own outlives it. */
function withLasting(left: LaneState, before: LaneState): LaneState {
  const tolerated = lastingTolerance(before.tolerated ?? []);
  return { ...left, ...(tolerated.length === 0 ? {} : { tolerated }) };
}
