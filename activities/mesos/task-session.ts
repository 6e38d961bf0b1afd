/** One subscription of `runTask`: handles events, timers and the abort one after the other. */

import { agentUrlOf } from './agent-files.ts';
import { MesosError, NoFittingOfferError } from './errors.ts';
import { matchOffer, offeredAttributes } from './offer-matching.ts';
import { OperatorClient } from './operator-client.ts';
import type { RunTaskOptions, RunTaskProgress, RunTaskResult } from './run-task-options.ts';
import type { SchedulerClient } from './scheduler-client.ts';
import {
  abortPatienceMs,
  callTimeoutMs,
  isTakenOver,
  removeFramework,
  saysFailedOver,
  saysRemoved,
  taskScheduler,
} from './task-framework.ts';
import { Inbox, type Message } from './task-inbox.ts';
import { newTaskId, taskInfo } from './task-info.ts';
import { resultOf } from './task-result.ts';
import { judgeUpdate } from './task-updates.ts';
import { rememberedEnd, whereabouts } from './task-whereabouts.ts';
import { textOf } from './thrown.ts';
import type { Id, Offer, Resource, SchedulerEvent, TaskStatus } from './types.ts';

/** Updates can get lost with a master; asking again finds out. */
const RECONCILE_EVERY_MS = 30_000;
/** Attributes of an agent don't change while it lives; resources do. */
const NEVER_FITS_SECONDS = 3_600;
const TOO_SMALL_SECONDS = 5;

/** reconciling: it is being asked whether the task exists; waiting: for an offer; running: launched or found. */
type Phase = 'reconciling' | 'waiting' | 'running';

export interface SessionStart {
  readonly progress: RunTaskProgress;
  /** True when an earlier session may have launched the task. */
  readonly resuming: boolean;
  readonly tell: (progress: RunTaskProgress) => void;
}

export class TaskSession {
  readonly #options: RunTaskOptions;
  readonly #start: SessionStart;
  readonly #client: SchedulerClient;
  readonly #operator: OperatorClient;
  readonly #inbox = new Inbox();
  readonly #held = new Map<string, Offer>();
  /** Why each agent's last offer did not fit. */
  readonly #misfits = new Map<string, string>();
  readonly #warnings: string[] = [];
  #progress: RunTaskProgress;
  #phase: Phase = 'waiting';
  #subscribed = false;
  #teardownLost = false;
  #offerTimer: NodeJS.Timeout | undefined;

  constructor(options: RunTaskOptions, start: SessionStart) {
    this.#options = options;
    this.#start = start;
    this.#progress = start.progress;
    this.#operator = new OperatorClient({ master: options.master, timeoutMs: callTimeoutMs(options) });
    this.#client = taskScheduler(options, start.progress.frameworkId);
  }

  /** Whether the master took the subscription. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /**
   * The result; `removed` when Mesos has removed the framework and knows no result. Rejects as `runTask` does. What
   * it tore down is gone when it returns.
   */
  async run(): Promise<RunTaskResult | 'removed'> {
    try {
      return await this.#follow();
    } finally {
      if (this.#teardownLost) await this.#remove();
    }
  }

  async #follow(): Promise<RunTaskResult | 'removed'> {
    const { signal, leave } = this.#options;
    const over = new AbortController();
    const tick = setInterval(() => this.#inbox.put({ kind: 'tick' }), RECONCILE_EVERY_MS);
    let abortTimer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.#inbox.put({ kind: 'abort' });
      abortTimer = setTimeout(() => this.#inbox.put({ kind: 'abort-deadline' }), abortPatienceMs(this.#options));
    };
    // Before everything that waits to be handled: what comes now is for whoever takes the run up.
    const onLeave = () => this.#inbox.putFirst({ kind: 'leave' });
    leave?.addEventListener('abort', onLeave, { once: true });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const pumping = this.#pump(over.signal);
    try {
      for (;;) {
        const message = await this.#inbox.take();
        const result = await this.#handle(message).catch((error: unknown) => this.#judgeFailure(error));
        if (result !== undefined) return result;
      }
    } finally {
      leave?.removeEventListener('abort', onLeave);
      signal.removeEventListener('abort', onAbort);
      clearInterval(tick);
      clearTimeout(abortTimer);
      clearTimeout(this.#offerTimer);
      over.abort();
      await pumping;
    }
  }

  async #pump(signal: AbortSignal): Promise<void> {
    try {
      for await (const event of this.#client.subscribe(signal)) this.#inbox.put({ kind: 'event', event });
      this.#inbox.put({ kind: 'closed', error: undefined });
    } catch (error) {
      this.#inbox.put({ kind: 'closed', error });
    }
  }

  async #handle(message: Message): Promise<RunTaskResult | 'removed' | undefined> {
    switch (message.kind) {
      case 'event':
        return this.#onEvent(message.event);
      case 'closed':
        throw message.error ?? this.#broken('the stream ended');
      case 'leave':
        throw this.#options.leave?.reason;
      case 'abort':
        return this.#onAbort();
      case 'abort-deadline':
        await this.#tearDown();
        throw this.#options.signal.reason;
      case 'offer-deadline':
        return this.#onOfferDeadline();
      case 'tick':
        if (this.#subscribed && this.#phase === 'running') await this.#reconcile();
        return undefined;
    }
  }

  async #onEvent(event: SchedulerEvent): Promise<RunTaskResult | 'removed' | undefined> {
    switch (event.type) {
      case 'SUBSCRIBED':
        this.#subscribed = true;
        if (!this.#start.resuming) return this.#waitForOffer();
        this.#phase = 'reconciling';
        // First every task of this framework, in case an earlier run could not keep its last progress, then ours by
        // name: its answer always comes, and comes last.
        await this.#client.reconcile([]);
        return this.#reconcile();
      case 'OFFERS':
        for (const offer of event.offers.offers) this.#held.set(offer.id.value, offer);
        return this.#useOffers();
      case 'RESCIND':
        this.#held.delete(event.rescind.offer_id.value);
        return undefined;
      case 'UPDATE':
        return this.#onUpdate(event.update.status);
      case 'ERROR':
        return this.#onError(event.error.message);
      default:
        return undefined;
    }
  }

  async #onUpdate(status: TaskStatus): Promise<RunTaskResult | undefined> {
    const meaning = judgeUpdate(status, {
      taskId: this.#progress.taskId,
      known: this.#progress.state,
      reconciling: this.#phase === 'reconciling',
    });
    switch (meaning) {
      case 'ignore':
        break;
      case 'adopt':
      case 'alive':
        await this.#alive(status);
        break;
      case 'ended':
        return this.#ended(status);
      case 'relaunch':
        await this.#client.acknowledge(status);
        return this.#waitAnew();
      case 'unknown':
        if (this.#phase === 'waiting') break;
        return this.#unknown(status);
    }
    await this.#client.acknowledge(status);
    return undefined;
  }

  async #alive(status: TaskStatus): Promise<void> {
    const found = this.#phase === 'reconciling';
    this.#phase = 'running';
    const agentId = status.agent_id?.value ?? this.#progress.agentId;
    this.#tell({ ...this.#progress, taskId: status.task_id.value, agentId, state: status.state });
    if (status.state === 'TASK_RUNNING') await this.#locate();
    if (found) {
      await this.#client.suppress();
      await this.#declineHeld();
    }
    if (this.#options.signal.aborted && status.state !== 'TASK_KILLING') await this.#kill();
  }

  /** The master does not know our task. */
  async #unknown(status: TaskStatus): Promise<RunTaskResult | undefined> {
    const remembered = await rememberedEnd(this.#operator, this.#progress);
    if (remembered !== undefined) return this.#ended(remembered);
    const { state } = this.#progress;
    const started = state !== 'WAITING' && state !== 'TASK_STAGING';
    return started ? this.#ended(status) : this.#waitAnew();
  }

  async #waitAnew(): Promise<undefined> {
    const { frameworkId, state, taskId } = this.#progress;
    const fresh = state === 'WAITING' ? taskId : newTaskId(this.#options.task.name);
    this.#tell({ frameworkId, taskId: fresh, state: 'WAITING' });
    await this.#client.revive();
    return this.#waitForOffer();
  }

  async #waitForOffer(): Promise<undefined> {
    if (this.#options.signal.aborted) {
      await this.#tearDown();
      throw this.#options.signal.reason;
    }
    this.#phase = 'waiting';
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(() => this.#inbox.put({ kind: 'offer-deadline' }), this.#options.offerTimeoutMs);
    return this.#useOffers();
  }

  async #useOffers(): Promise<undefined> {
    if (this.#phase === 'reconciling') return undefined;
    for (const offer of this.#held.values()) {
      if (this.#phase !== 'waiting' || this.#options.signal.aborted) break;
      const match = matchOffer(offer, {
        resources: this.#options.task.resources,
        attributes: this.#options.attributes,
        excludeAgents: this.#options.excludeAgents ?? [],
      });
      this.#held.delete(offer.id.value);
      if (match.fits) {
        await this.#launch(offer, match.resources);
      } else {
        this.#misfits.set(offer.hostname, `${offer.hostname} (${offeredAttributes(offer)}): ${match.because}`);
        const refuse_seconds = match.lasting ? NEVER_FITS_SECONDS : TOO_SMALL_SECONDS;
        await this.#client.decline([offer.id], { refuse_seconds });
      }
    }
    if (this.#phase === 'running') await this.#declineHeld();
    return undefined;
  }

  async #launch(offer: Offer, resources: readonly Resource[]): Promise<void> {
    const agentUrl = agentUrlOf(offer);
    this.#phase = 'running';
    clearTimeout(this.#offerTimer);
    // Said before it is done: whoever resumes asks the master about this very task.
    this.#tell({ ...this.#progress, agentId: offer.agent_id.value, agentUrl, state: 'TASK_STAGING' });
    const { taskId } = this.#progress;
    const info = taskInfo(this.#options.task, { taskId, agentId: offer.agent_id, resources });
    await this.#client.accept({
      offerIds: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [info] } }],
      filters: { refuse_seconds: NEVER_FITS_SECONDS },
    });
    await this.#client.suppress();
  }

  async #declineHeld(): Promise<void> {
    const ids: Id[] = [...this.#held.values()].map(({ id }) => id);
    this.#held.clear();
    if (ids.length > 0) await this.#client.decline(ids, { refuse_seconds: NEVER_FITS_SECONDS });
  }

  async #ended(status: TaskStatus): Promise<RunTaskResult> {
    this.#phase = 'running';
    const agentId = status.agent_id?.value ?? this.#progress.agentId;
    this.#tell({ ...this.#progress, taskId: status.task_id.value, agentId, state: status.state });
    await this.#locate();
    await this.#attempt('acknowledgement', () => this.#client.acknowledge(status));
    await this.#tearDown();
    if (this.#options.signal.aborted) throw this.#options.signal.reason;
    return resultOf(status, this.#progress, this.#warnings);
  }

  /** Calls fail when the master has ended the subscription; why it did waits behind what was just handled. */
  #judgeFailure(error: unknown): Promise<RunTaskResult | 'removed'> {
    const ended = this.#inbox.pendingError();
    if (ended === undefined || !(error instanceof MesosError)) throw error;
    return this.#onError(ended);
  }

  async #onError(message: string): Promise<RunTaskResult | 'removed'> {
    if (!saysRemoved(message)) {
      throw new MesosError({
        url: this.#options.master,
        call: 'scheduler subscription',
        status: 400,
        answer: message,
        advice: 'If another process took this run up, this one must end',
      });
    }
    const remembered = await rememberedEnd(this.#operator, this.#progress);
    // Killed by the removal itself is no end of its own; but one that was known before the removal is.
    const byRemoval = remembered?.state === 'TASK_KILLED' && this.#progress.state !== 'TASK_KILLED';
    if (remembered === undefined || byRemoval) return 'removed';
    this.#tell({ ...this.#progress, state: remembered.state });
    await this.#locate();
    if (this.#options.signal.aborted) throw this.#options.signal.reason;
    return resultOf(remembered, this.#progress, this.#warnings);
  }

  async #onAbort(): Promise<undefined> {
    if (!this.#subscribed || this.#phase === 'reconciling') return undefined;
    if (this.#phase === 'running') return this.#kill();
    await this.#tearDown();
    throw this.#options.signal.reason;
  }

  async #onOfferDeadline(): Promise<undefined> {
    if (this.#phase !== 'waiting' || this.#options.signal.aborted) return undefined;
    await this.#tearDown();
    const { master, attributes, offerTimeoutMs } = this.#options;
    throw new NoFittingOfferError(master, attributes, [...this.#misfits.values()], offerTimeoutMs);
  }

  async #kill(): Promise<undefined> {
    const { taskId, agentId } = this.#progress;
    await this.#client.kill({
      taskId: { value: taskId },
      ...(agentId === undefined ? {} : { agentId: { value: agentId } }),
    });
    return undefined;
  }

  async #reconcile(): Promise<undefined> {
    const { taskId, agentId } = this.#progress;
    await this.#client.reconcile([
      { taskId: { value: taskId }, ...(agentId === undefined ? {} : { agentId: { value: agentId } }) },
    ]);
    return undefined;
  }

  /** Finds out where the agent and the sandbox are; the run goes on without. */
  async #locate(): Promise<void> {
    if (this.#progress.sandbox !== undefined || this.#progress.agentId === undefined) return;
    await this.#attempt('looking for the sandbox', async () => {
      const found = await whereabouts(this.#operator, this.#progress);
      if (found !== undefined) this.#tell({ ...this.#progress, ...found });
    });
  }

  async #tearDown(): Promise<void> {
    try {
      await this.#client.teardown();
    } catch (error) {
      // Where another process has subscribed as this framework, its end is that one's work.
      const takenOver = isTakenOver(error) || saysFailedOver(this.#inbox.pendingError() ?? '');
      if (this.#options.signal.aborted) throw takenOver ? error : this.#broken(`teardown: ${textOf(error)}`);
      if (takenOver) this.#warnings.push(`teardown: ${textOf(error)}`);
      else this.#teardownLost = true;
    }
  }

  /** After a teardown that was not answered. An aborted run must not pretend that nothing is left; a result stands. */
  async #remove(): Promise<void> {
    try {
      await removeFramework(this.#options, this.#progress.frameworkId);
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      this.#warnings.push(`teardown: ${textOf(error)}`);
    }
  }

  /** For what must not spoil the run. */
  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#warnings.push(`${what}: ${textOf(error)}`);
    }
  }

  #tell(progress: RunTaskProgress): void {
    this.#progress = progress;
    this.#start.tell(progress);
  }

  #broken(answer: string): MesosError {
    return new MesosError({ url: this.#options.master, call: 'scheduler subscription', answer });
  }
}
