/** Plays a recorded session of a framework again: makes its calls with the ids of now, and waits for its events. */
import { until } from '../../integration/mesos-until.ts';
import { operatorCall } from '../../mesos-rig/operator-call.ts';
import { type RawStream, subscribeRaw } from '../../mesos-rig/raw-stream.ts';
import type { Comparison } from './replay.ts';

export interface RecordedEvent {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** One line of the record. */
export interface Entry {
  /** Seconds since its begin. */
  readonly t: number;
  readonly kind: string;
  readonly data: unknown;
}

/** Events recorded within so many seconds have no order of their own. */
const SAME_MOMENT = 0.1;
/** An offer that does not come is waited for so long: more than an allocation interval. */
const NO_EVENT_MS = 1_500;
/** After so long, more than any filter of the record and an allocation interval, an offer does not come by itself. */
const LATE_OFFER_MS = 3_000;

const INFO = {
  name: 'ci',
  failover_timeout: 5,
  checkpoint: true,
  roles: ['ci'],
  hostname: 'ci.example',
  webui_url: 'http://ci.example/',
  capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }],
};

/** What the record calls by a word of its own. */
const ORDERS: Readonly<Record<string, (agentId: string) => object>> = {
  GET_AGENTS: () => ({ type: 'GET_AGENTS' }),
  GET_MAINTENANCE_STATUS: () => ({ type: 'GET_MAINTENANCE_STATUS' }),
  DEACTIVATE: (value) => ({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: { value } } }),
  REACTIVATE: (value) => ({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: { value } } }),
  'drain while in schedule': (value) => ({ type: 'DRAIN_AGENT', drain_agent: { agent_id: { value } } }),
  UPDATE_MAINTENANCE_SCHEDULE: () => schedule([{ hostname: 'localhost', ip: '127.0.0.1' }]),
  'clear schedule': () => schedule([]),
};

function schedule(machine_ids: readonly object[]): object {
  const unavailability = { start: { nanoseconds: (Date.now() + 600_000) * 1e6 } };
  const windows = machine_ids.length === 0 ? [] : [{ machine_ids, unavailability }];
  return { type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: { windows } } };
}

export class SessionPlayer {
  readonly #masterUrl: string;
  readonly #agentId: string;
  readonly #comparison: Comparison;
  readonly #streams: RawStream[] = [];
  /** What came, and whether the record has it too. */
  readonly #taken = new Set<RecordedEvent>();
  /** Ids of now by those of the record. */
  readonly #ids = new Map<string, string>();
  #answer: { readonly status: number; readonly body: string } | undefined;
  #last = { index: -1, t: 0 };

  constructor(masterUrl: string, agentId: string, comparison: Comparison) {
    this.#masterUrl = masterUrl;
    this.#agentId = agentId;
    this.#comparison = comparison;
  }

  get frameworkId(): string {
    const event = this.#events.find(({ type }) => type === 'SUBSCRIBED');
    return (event?.['subscribed'] as { framework_id: { value: string } } | undefined)?.framework_id.value ?? '';
  }

  /** Events that the record does not have. It does not have every offer, nor heartbeats. */
  get unexpected(): RecordedEvent[] {
    return this.#events.filter((event) => !this.#taken.has(event) && !['OFFERS', 'HEARTBEAT'].includes(event.type));
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }

  /** Throws where it goes another way. */
  async play({ t, kind, data }: Entry, index: number): Promise<void> {
    const where = `step ${index}, ${kind}`;
    switch (kind) {
      case 'stream-head':
        await this.#subscribe({});
        return;
      case 'note':
        if (String(data).startsWith('second SUBSCRIBE')) await this.#subscribe({ id: { value: this.frameworkId } });
        return;
      case 'event':
        await this.#expect(where, t, data as RecordedEvent);
        return;
      case 'call':
        this.#answer = await this.#call(data as object, index);
        return;
      case 'call-response':
        this.#same(where, data, this.#answer);
        return;
      case 'operator':
        await this.#operate(where, data as Operated);
        return;
      case 'old-stream-closed':
        await until(where, 30_000, () => this.#streams[0]?.ended);
        return;
      case 'no-event': {
        const before = this.#events.length;
        await new Promise((resolve) => setTimeout(resolve, NO_EVENT_MS));
        const offers = this.#events.slice(before).filter(({ type }) => type === 'OFFERS');
        if (offers.length > 0) throw new Error(`${where}: there came offers`);
        return;
      }
      case 'state':
        this.#same(where, data, await (await fetch(`${this.#masterUrl}/tasks`)).json());
        return;
      case 'legacy /slaves': {
        const { slaves } = (await (await fetch(`${this.#masterUrl}/slaves`)).json()) as {
          slaves: { drain_info: object }[];
        };
        this.#same(where, data, slaves[0]?.drain_info);
        return;
      }
      case 'framework after disconnect':
        this.#streams.at(-1)?.close();
        await until(where, 30_000, async () => (await this.#frameworks()).frameworks[0]?.['active'] === false);
        this.#same(
          where,
          data,
          (await this.#frameworks()).frameworks.map((each) => pick(each, (data as object[])[0])),
        );
        return;
      case 'framework after timeout':
        await until(where, 30_000, async () => (await this.#frameworks()).completed.length > 0);
        return;
      default:
        return;
    }
  }

  get #events(): RecordedEvent[] {
    return this.#streams.flatMap(({ events }) => events);
  }

  async #subscribe(id: object): Promise<void> {
    this.#streams.push(await subscribeRaw(this.#masterUrl, { ...INFO, ...id }));
    await until('SUBSCRIBED', 30_000, () => (this.#streams.at(-1)?.events.length ?? 0) > 0);
  }

  async #expect(where: string, t: number, recorded: RecordedEvent): Promise<void> {
    let least: unknown;
    const isIt = (event: RecordedEvent) => {
      if (this.#taken.has(event) || event.type !== recorded.type) return false;
      // Offers that the record does not have look the same, and came before.
      if (event.type === 'OFFERS' && this.#events.indexOf(event) < this.#last.index) return false;
      const found = this.#comparison.unknown(recorded, event);
      least ??= found;
      return found.length === 0;
    };
    const sinceMs = Date.now();
    const found = async () => {
      const event = this.#events.find(isIt);
      if (event === undefined && recorded.type === 'OFFERS' && Date.now() - sinceMs > LATE_OFFER_MS) {
        await this.#declineUnknown();
      }
      return event;
    };
    const ours = await until(where, 20_000, found).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(recorded)}; nearest differs by ${JSON.stringify(least)}`);
    });
    this.#taken.add(ours);
    const index = this.#events.indexOf(ours);
    if (t - this.#last.t > SAME_MOMENT && index < this.#last.index) throw new Error(`${where} came too early`);
    if (index > this.#last.index) this.#last = { index, t };
    this.#learn(recorded, ours);
  }

  /** Ids stand in the same places. */
  #learn(recorded: unknown, ours: unknown): void {
    if (typeof recorded === 'string' && typeof ours === 'string') this.#ids.set(recorded, ours);
    if (typeof recorded !== 'object' || recorded === null || typeof ours !== 'object' || ours === null) return;
    for (const [name, member] of Object.entries(recorded)) {
      this.#learn(member, (ours as Readonly<Record<string, unknown>>)[name]);
    }
  }

  async #call(
    recorded: object,
    index = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const call = this.#translated(recorded);
    // The one call after the failover is made on the old stream, to be refused.
    const [first] = this.#streams;
    const isLate = this.#streams.length === 2 && (call as { type: string }).type === 'REVIVE' && index < 100;
    const stream = isLate ? first : this.#streams.at(-1);
    const response = await fetch(`${this.#masterUrl}/api/v1/scheduler`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Mesos-Stream-Id': String(stream?.headers['mesos-stream-id']) },
      body: JSON.stringify(call),
    });
    return { status: response.status, body: await response.text() };
  }

  /**
   * Gives back offers that the record does not have: on a slow machine, when a task starts or ends after the filter of
   * its own offer, the rest of the agent is offered first, and what comes then would never be offered as a whole.
   */
  async #declineUnknown(): Promise<void> {
    for (const event of this.#events.filter((each) => each.type === 'OFFERS' && !this.#taken.has(each))) {
      this.#taken.add(event);
      const { offers } = event['offers'] as { readonly offers: readonly { readonly id: object }[] };
      const decline = { offer_ids: offers.map(({ id }) => id), filters: { refuse_seconds: 0 } };
      await this.#call({ framework_id: { value: this.frameworkId }, type: 'DECLINE', decline });
    }
  }

  async #operate(where: string, { call, status, body, res }: Operated): Promise<void> {
    const order = typeof call === 'string' ? ORDERS[call]?.(this.#agentId) : (this.#translated(call) as object);
    if (order === undefined) throw new Error(`${where}: ${String(call)} is not known`);
    const expected = res ?? [status, body];
    const ask = async () => {
      const answer = await operatorCall(this.#masterUrl, order);
      return [answer.status, answer.body];
    };
    // A drain ends when the last acknowledgement has been read.
    const last = await until(where, 3_000, async () => {
      const answer = await ask();
      return this.#comparison.unknown(expected, answer).length === 0 && answer;
    }).catch(ask);
    this.#same(where, expected, last);
  }

  #translated(recorded: unknown): unknown {
    if (typeof recorded === 'string') return this.#ids.get(recorded) ?? recorded;
    if (Array.isArray(recorded)) return recorded.map((member) => this.#translated(member));
    if (typeof recorded !== 'object' || recorded === null) return recorded;
    return Object.fromEntries(Object.entries(recorded).map(([name, member]) => [name, this.#translated(member)]));
  }

  async #frameworks() {
    const response = await fetch(`${this.#masterUrl}/frameworks?framework_id=${this.frameworkId}`);
    const { frameworks, completed_frameworks: completed } = (await response.json()) as {
      readonly frameworks: readonly Readonly<Record<string, unknown>>[];
      readonly completed_frameworks: readonly object[];
    };
    return { frameworks, completed };
  }

  #same(where: string, recorded: unknown, ours: unknown): void {
    const found = this.#comparison.unknown(recorded, ours);
    if (found.length > 0) throw new Error(`${where}: ${JSON.stringify(found, null, 1)}`);
  }
}

interface Operated {
  readonly call: string | object;
  readonly status?: number;
  readonly body?: unknown;
  readonly res?: readonly unknown[];
}

/** The members of an object that another has too. */
function pick(from: Readonly<Record<string, unknown>>, like: object | undefined): object {
  return Object.fromEntries(Object.keys(like ?? {}).map((name) => [name, from[name]]));
}
