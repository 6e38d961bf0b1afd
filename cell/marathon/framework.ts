import { userInfo } from 'node:os';
import { SchedulerClient } from '../../activities/mesos/scheduler-client.ts';
import type {
  Filters,
  FrameworkInfo,
  Offer,
  SchedulerEvent,
  TaskInfo,
  TaskStatus,
} from '../../activities/mesos/types.ts';
import type { CellLog } from '../mesos/log.ts';
import type { EventBus } from './events.ts';

/** A week, as Marathon's default: so long tasks run on while no Marathon is there. */
const FAILOVER_TIMEOUT_SECONDS = 604_800;
const FIRST_RECONNECT_MS = 100;
const LONGEST_RECONNECT_MS = 2_000;

export interface FrameworkOptions {
  /** Address of a Mesos master. */
  readonly master: string;
  readonly hostname: string;
  readonly webUiUrl: string;
  readonly knowsTaskKilling: boolean;
  /** At least so long between two REVIVE calls. Marathon's default is 5000. */
  readonly minReviveOffersIntervalMs: number;
  /** For how long a declined offer is not made again. Marathon's default is 120 000. */
  readonly declineOfferMs: number;
}

/** What the framework is told to do and whom it tells. */
export interface FrameworkParts {
  readonly bus: EventBus;
  readonly log: CellLog;
  readonly frameworkId: () => string | undefined;
  readonly setFrameworkId: (id: string | undefined) => void;
  /** Tasks to start on an offer. They are stored already: what is lost on the way is found by reconciliation. */
  readonly takeOffer: (offer: Offer) => readonly TaskInfo[];
  readonly takeStatus: (status: TaskStatus) => void;
  /** Tasks that Mesos should know, and those of them to end. */
  readonly knownTasks: () => readonly { readonly taskId: string; readonly agentId: string; readonly stop: boolean }[];
  /** Mesos has removed the framework: every task is gone with it. */
  readonly removed: () => void;
  /** Connected, and told Mesos what is known. */
  readonly connected: () => void;
}

/** Marathon as a Mesos framework: keeps a subscription, answers offers, acknowledges, and asks again until answered. */
export class Framework {
  readonly #options: FrameworkOptions;
  readonly #parts: FrameworkParts;
  readonly #stop = new AbortController();
  #client: SchedulerClient;
  #loop: Promise<void> = Promise.resolve();
  /** Calls go out one after the other: a SUPPRESS must not overtake the REVIVE before it. */
  #calls: Promise<void> = Promise.resolve();
  #connected = false;
  #wantsOffers = false;
  #suppressed = false;
  #lastReviveMs = Number.NEGATIVE_INFINITY;
  #reviveTimer: NodeJS.Timeout | undefined;

  constructor(options: FrameworkOptions, parts: FrameworkParts) {
    this.#options = options;
    this.#parts = parts;
    this.#client = this.#newClient();
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the subscription; tasks run on and can be taken up again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#reviveTimer);
    await this.#loop;
    await this.#calls;
  }

  /** Says whether anything waits for offers; `anew` asks for those that were declined too. */
  wantOffers(wanted: boolean, anew: boolean): void {
    this.#wantsOffers = wanted;
    if (!this.#connected) return;
    if (wanted && (anew || this.#suppressed)) this.#reviveSoon();
    if (!wanted && !this.#suppressed) {
      clearTimeout(this.#reviveTimer);
      this.#reviveTimer = undefined;
      this.#suppressed = true;
      this.#call('SUPPRESS', () => this.#client.suppress());
    }
  }

  /** Asks for a task's end. Nothing happens while disconnected: it is asked again after each connection. */
  kill(taskId: string, agentId: string | undefined): void {
    if (!this.#connected) return;
    const agent = agentId === undefined ? {} : { agentId: { value: agentId } };
    this.#call('KILL', () => this.#client.kill({ taskId: { value: taskId }, ...agent }));
  }

  /** Asks for the state of these tasks; answers come as statuses. */
  reconcile(tasks: readonly { readonly taskId: string; readonly agentId: string }[]): void {
    if (!this.#connected || tasks.length === 0) return;
    this.#call('RECONCILE', () =>
      this.#client.reconcile(
        tasks.map(({ taskId, agentId }) => ({ taskId: { value: taskId }, agentId: { value: agentId } })),
      ),
    );
  }

  async #run(): Promise<void> {
    let pauseMs = FIRST_RECONNECT_MS;
    while (!this.#stop.signal.aborted) {
      try {
        for await (const event of this.#client.subscribe(this.#stop.signal)) {
          if (event.type === 'SUBSCRIBED') pauseMs = FIRST_RECONNECT_MS;
          this.#take(event);
        }
      } catch (error) {
        this.#parts.log.warn('the subscription to Mesos broke', error);
      }
      this.#disconnected();
      await pause(pauseMs, this.#stop.signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_RECONNECT_MS);
    }
  }

  #take(event: SchedulerEvent): void {
    switch (event.type) {
      case 'SUBSCRIBED':
        this.#subscribed(event.subscribed.framework_id.value);
        return;
      case 'OFFERS':
        for (const offer of event.offers.offers) this.#answer(offer);
        return;
      case 'UPDATE': {
        const { status } = event.update;
        this.#parts.takeStatus(status);
        // Only now: what is acknowledged is not told again.
        this.#call('ACKNOWLEDGE', () => this.#client.acknowledge(status));
        return;
      }
      case 'MESSAGE': {
        const { agent_id, executor_id, data } = event.message;
        this.#parts.bus.publish('framework_message_event', {
          executorId: executor_id.value,
          slaveId: agent_id.value,
          message: data,
        });
        return;
      }
      case 'ERROR':
        this.#parts.log.warn('Mesos ended the subscription', new Error(event.error.message));
        if (/framework has been removed/i.test(event.error.message)) this.#startOver();
        return;
      default:
    }
  }

  #subscribed(frameworkId: string): void {
    const again = this.#parts.frameworkId() !== undefined;
    this.#parts.setFrameworkId(frameworkId);
    this.#connected = true;
    this.#suppressed = false;
    this.#lastReviveMs = Number.NEGATIVE_INFINITY;
    const master = new URL(this.#options.master).host;
    if (again) this.#parts.bus.publish('scheduler_reregistered_event', { master });
    else this.#parts.bus.publish('scheduler_registered_event', { frameworkId, master });
    const known = this.#parts.knownTasks();
    // First what is known here, which also finds tasks that never reached Mesos; then whatever Mesos knows besides.
    this.reconcile(known);
    this.#call('RECONCILE', () => this.#client.reconcile([]));
    for (const task of known) if (task.stop) this.kill(task.taskId, task.agentId);
    this.#parts.connected();
  }

  #disconnected(): void {
    if (!this.#connected) return;
    this.#connected = false;
    clearTimeout(this.#reviveTimer);
    this.#reviveTimer = undefined;
    this.#parts.bus.publish('scheduler_disconnected_event', { master: new URL(this.#options.master).host });
  }

  #answer(offer: Offer): void {
    const tasks = this.#wantsOffers ? this.#parts.takeOffer(offer) : [];
    if (tasks.length === 0) {
      const filters = { refuse_seconds: this.#options.declineOfferMs / 1000 };
      this.#call('DECLINE', () => this.#client.decline([offer.id], filters));
      return;
    }
    // What is left over comes back at once: more tasks may be waiting than one offer may take.
    const filters: Filters = { refuse_seconds: 0 };
    const operations = [{ type: 'LAUNCH', launch: { task_infos: tasks } }] as const;
    this.#call('ACCEPT', () => this.#client.accept({ offerIds: [offer.id], operations, filters }));
  }

  #reviveSoon(): void {
    if (this.#reviveTimer) return;
    const waitMs = this.#lastReviveMs + this.#options.minReviveOffersIntervalMs - performance.now();
    const revive = () => {
      this.#reviveTimer = undefined;
      if (!this.#connected || !this.#wantsOffers) return;
      this.#lastReviveMs = performance.now();
      this.#suppressed = false;
      this.#call('REVIVE', () => this.#client.revive());
    };
    if (waitMs <= 0) revive();
    else this.#reviveTimer = setTimeout(revive, waitMs);
  }

  /**
   * A call that fails is only told: each has someone who repeats it. Offers come again, statuses are repeated by Mesos
   * until they are acknowledged, kills and launches without an answer are looked after by a timer.
   */
  #call(name: string, call: () => Promise<void>): void {
    this.#calls = this.#calls.then(call).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#parts.log.warn(`scheduler call ${name} failed`, error);
    });
  }

  #startOver(): void {
    this.#parts.setFrameworkId(undefined);
    this.#parts.removed();
    this.#client = this.#newClient();
  }

  #newClient(): SchedulerClient {
    const id = this.#parts.frameworkId();
    const frameworkInfo: FrameworkInfo = {
      user: userInfo().username,
      name: 'marathon',
      role: '*',
      failover_timeout: FAILOVER_TIMEOUT_SECONDS,
      checkpoint: true,
      hostname: this.#options.hostname,
      webui_url: this.#options.webUiUrl,
      capabilities: [
        { type: 'PARTITION_AWARE' },
        ...(this.#options.knowsTaskKilling ? [{ type: 'TASK_KILLING_STATE' } as const] : []),
      ],
      ...(id === undefined ? {} : { id: { value: id } }),
    };
    return new SchedulerClient({ master: this.#options.master, frameworkInfo, timeoutMs: 10_000 });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
