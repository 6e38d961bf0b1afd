/** A small framework for the Mesos suites: launches what it is told, acknowledges, and remembers every update. */
import { SchedulerClient } from '../../activities/mesos/scheduler-client.ts';
import type {
  FrameworkInfo,
  Offer,
  Resource,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../activities/mesos/types.ts';
import { until } from './mesos-until.ts';

const WAIT_MS = 45_000;

export type TestTask = Omit<TaskInfo, 'agent_id' | 'resources' | 'name'> & {
  readonly resources?: readonly Resource[];
  /** Default: the task's id. */
  readonly name?: string;
};

export class TestFramework {
  readonly client: SchedulerClient;
  readonly updates: TaskStatus[] = [];
  /** All but heartbeats, of which one more comes whenever a test takes so long. */
  readonly events: SchedulerEvent[] = [];
  readonly offers: Map<string, Offer> = new Map();
  acknowledging = true;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #failure: unknown;

  constructor(master: string, info: Partial<FrameworkInfo> = {}) {
    this.client = new SchedulerClient({
      master,
      timeoutMs: 20_000,
      frameworkInfo: {
        user: 'root',
        name: 'test',
        roles: ['*'],
        checkpoint: true,
        failover_timeout: 3600,
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }],
        ...info,
      },
    });
    this.#running = this.#read().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  get id(): string {
    return this.client.frameworkId?.value ?? '';
  }

  /** Waits for an offer of an agent with the host name, and launches the task on it. */
  async launch(hostname: string, task: TestTask): Promise<TaskInfo> {
    const offer = await this.#until(`an offer of ${hostname}`, () =>
      [...this.offers.values()].find((each) => each.hostname === hostname),
    );
    this.offers.delete(offer.id.value);
    const info: TaskInfo = {
      name: task.task_id.value,
      agent_id: offer.agent_id,
      ...task,
      resources: task.resources ?? [scalar('cpus', 0.1), scalar('mem', 32)],
    };
    await this.client.accept({
      offerIds: [offer.id],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [info] } }],
      filters: { refuse_seconds: 0 },
    });
    return info;
  }

  /** Waits until the newest update of a task is of this state, and gives it. */
  state(taskId: string, state: TaskState): Promise<TaskStatus> {
    return this.update(`${taskId} is ${state}`, (status) => status.task_id.value === taskId && status.state === state);
  }

  /** Waits for an update; a terminal one of the same task that does not match ends the wait. */
  update(what: string, which: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    return this.#until(what, () => this.updates.find(which));
  }

  async connected(): Promise<this> {
    await this.#until('SUBSCRIBED', () => this.events.some(({ type }) => type === 'SUBSCRIBED'));
    return this;
  }

  /** Hangs up without a teardown. */
  async disconnect(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  /** What its subscription ended with, if it did. */
  async ended(): Promise<unknown> {
    await this.#running;
    return this.#failure;
  }

  #until<T>(what: string, condition: () => T | undefined | false): Promise<Exclude<T, undefined | false | null>> {
    return until(what, WAIT_MS, condition as () => T).catch((error: unknown) => {
      const seen = this.updates.map(({ task_id, state, message }) => `${task_id.value} ${state} ${message ?? ''}`);
      throw new Error(`${String(error)}; seen: ${seen.join(' | ') || 'no update'}; stream: ${String(this.#failure)}`);
    });
  }

  async #read(): Promise<void> {
    for await (const event of this.client.subscribe(this.#over.signal)) {
      if (event.type !== 'HEARTBEAT') this.events.push(event);
      if (event.type === 'OFFERS') for (const offer of event.offers.offers) this.offers.set(offer.id.value, offer);
      if (event.type === 'RESCIND') this.offers.delete(event.rescind.offer_id.value);
      if (event.type === 'UPDATE') {
        this.updates.push(event.update.status);
        if (this.acknowledging) await this.client.acknowledge(event.update.status);
      }
    }
  }
}

export function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}
