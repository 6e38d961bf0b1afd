/** A client of the Mesos scheduler API v1 over JSON. One instance is one framework. */

import type { IncomingMessage } from 'node:http';
import { MesosAnswerError, MesosError } from './errors.ts';
import { callHttp, type HttpCall, type HttpStream, openHttp } from './http-call.ts';
import { RecordDecoder } from './recordio.ts';
import { knownSchedulerEvent } from './schemas.ts';
import { textOf } from './thrown.ts';
import type { Filters, FrameworkInfo, Id, KillPolicy, LaunchOperation, SchedulerEvent, TaskStatus } from './types.ts';

/** The stream counts as dead after this many heartbeats that did not come . */
const MISSED_HEARTBEATS = 3;
/** What every master since 1.0 says in SUBSCRIBED; used until it has said so. */
const DEFAULT_HEARTBEAT_SECONDS = 15;

/** No charset: the master answers 415 to `application/json; charset=utf-8`. */
const JSON_HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json' } as const;

export interface SchedulerClientOptions {
  /** Any master of the cluster, such as `http://127.0.0.1:5050`; the leader is found by its redirect. */
  readonly master: string;
  /** With `id`: takes over, or takes up again, the framework of that id. */
  readonly frameworkInfo: FrameworkInfo;
  /** For each call, and for the head of the answer to SUBSCRIBE. */
  readonly timeoutMs: number;
}

export interface AcceptCall {
  /** Offers of one agent. */
  readonly offerIds: readonly Id[];
  readonly operations: readonly LaunchOperation[];
  readonly filters?: Filters | undefined;
}

interface Subscription {
  readonly url: string;
  readonly streamId: string;
}

/**
 * Subscribes, and makes calls on behalf of the subscribed framework. Calls resolve when the master has taken them
 * (202): what becomes of them comes as an event. Every call rejects with `MesosError` when it was refused or not
 * answered; none is retried here, because only the caller knows what may be repeated.
 */
export class SchedulerClient {
  readonly #options: SchedulerClientOptions;
  #frameworkId: Id | undefined;
  #subscription: Subscription | undefined;
  #tornDown = false;

  constructor(options: SchedulerClientOptions) {
    this.#options = options;
    this.#frameworkId = options.frameworkInfo.id;
  }

  /** Known after the first SUBSCRIBED; a later `subscribe` takes up the same framework. */
  get frameworkId(): Id | undefined {
    return this.#frameworkId;
  }

  /**
   * Subscribes and yields every event, SUBSCRIBED first. The stream is read as fast as it comes, so a slow consumer
   * does not make it look dead.
   *
   * Ends when `signal` is aborted, after an ERROR event (which is yielded: the master has ended the subscription,
   * for instance because another instance took over), and after `teardown`. Throws a retryable `MesosError` when the
   * connection breaks or three heartbeats in a row are missed: subscribe again, the id is kept.
   */
  async *subscribe(signal?: AbortSignal): AsyncGenerator<SchedulerEvent, void, void> {
    const { master, timeoutMs } = this.#options;
    const call = 'scheduler call SUBSCRIBE';
    const frameworkInfo = this.#frameworkId === undefined ? {} : { id: this.#frameworkId };
    const stream = await openUnlessAborted({
      url: new URL('/api/v1/scheduler', master).toString(),
      call,
      method: 'POST',
      headers: JSON_HEADERS,
      body: JSON.stringify({
        type: 'SUBSCRIBE',
        ...(this.#frameworkId === undefined ? {} : { framework_id: this.#frameworkId }),
        subscribe: { framework_info: { ...this.#options.frameworkInfo, ...frameworkInfo } },
      }),
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    if (stream === undefined) return;
    const { response, status, url } = stream;
    if (status !== 200) {
      throw new MesosError({ url, call, status, answer: await readShort(response) });
    }
    const streamId = response.headers['mesos-stream-id'];
    if (typeof streamId !== 'string') {
      response.destroy();
      throw new MesosAnswerError({ url, call, problem: 'no Mesos-Stream-Id header' });
    }
    const subscription = { url, streamId };
    this.#subscription = subscription;
    this.#tornDown = false;
    const inbox = new EventInbox(response, url);
    try {
      for (;;) {
        const event = await inbox.next();
        if (event === undefined) {
          if (this.#tornDown || signal?.aborted) return;
          throw new MesosError({ url, call, answer: inbox.endReason, advice: 'Subscribe again with the same id' });
        }
        if (event.type === 'SUBSCRIBED') this.#frameworkId = event.subscribed.framework_id;
        yield event;
        if (event.type === 'ERROR') return;
      }
    } catch (error) {
      if (signal?.aborted) return;
      throw error;
    } finally {
      inbox.close();
      if (this.#subscription === subscription) this.#subscription = undefined;
    }
  }

  /** Uses offers of one agent; what is left of them returns, and is not offered again for `filters.refuse_seconds`. */
  accept({ offerIds, operations, filters }: AcceptCall): Promise<void> {
    return this.#call('ACCEPT', {
      accept: { offer_ids: offerIds, operations, ...(filters === undefined ? {} : { filters }) },
    });
  }

  /** Gives offers back. */
  decline(offerIds: readonly Id[], filters?: Filters): Promise<void> {
    return this.#call('DECLINE', {
      decline: { offer_ids: offerIds, ...(filters === undefined ? {} : { filters }) },
    });
  }

  /** Confirms a status; does nothing for one without `uuid`, which wants none. Safe to repeat. */
  async acknowledge(status: TaskStatus): Promise<void> {
    if (status.uuid === undefined || status.agent_id === undefined) return;
    await this.#call('ACKNOWLEDGE', {
      acknowledge: { agent_id: status.agent_id, task_id: status.task_id, uuid: status.uuid },
    });
  }

  /** Asks for the end of a task; its last update tells when it is over. Safe to repeat. */
  kill(kill: { readonly taskId: Id; readonly agentId?: Id | undefined; readonly killPolicy?: KillPolicy | undefined }) {
    return this.#call('KILL', {
      kill: {
        task_id: kill.taskId,
        ...(kill.agentId === undefined ? {} : { agent_id: kill.agentId }),
        ...(kill.killPolicy === undefined ? {} : { kill_policy: kill.killPolicy }),
      },
    });
  }

  /** Asks for the state of these tasks, or with an empty list of every task the master knows. Answers come as updates. */
  reconcile(tasks: readonly { readonly taskId: Id; readonly agentId?: Id | undefined }[]): Promise<void> {
    return this.#call('RECONCILE', {
      reconcile: {
        tasks: tasks.map(({ taskId, agentId }) => ({
          task_id: taskId,
          ...(agentId === undefined ? {} : { agent_id: agentId }),
        })),
      },
    });
  }

  /** Wants offers again, at once and without filters. */
  revive(roles?: readonly string[]): Promise<void> {
    return this.#call('REVIVE', roles === undefined ? {} : { revive: { roles } });
  }

  /** Wants no offers until `revive`; outstanding ones stay valid. */
  suppress(roles?: readonly string[]): Promise<void> {
    return this.#call('SUPPRESS', roles === undefined ? {} : { suppress: { roles } });
  }

  /** Ends the framework for ever: its tasks are killed and its id can't be used again. The stream then ends. */
  async teardown(): Promise<void> {
    this.#tornDown = true;
    await this.#call('TEARDOWN', {});
  }

  async #call(type: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const call = `scheduler call ${type}`;
    const subscription = this.#subscription;
    if (subscription === undefined) {
      throw new MesosError({ url: this.#options.master, call, answer: 'not subscribed', advice: 'Subscribe first' });
    }
    const answer = await callHttp({
      url: subscription.url,
      call,
      method: 'POST',
      headers: { ...JSON_HEADERS, 'Mesos-Stream-Id': subscription.streamId },
      body: JSON.stringify({ type, framework_id: this.#frameworkId, ...fields }),
      timeoutMs: this.#options.timeoutMs,
    });
    if (answer.status !== 202) {
      throw new MesosError({ url: answer.url, call, status: answer.status, answer: answer.body });
    }
  }
}

/** Reads a stream as it comes, keeps what nobody has taken yet, and watches the heartbeat. */
class EventInbox {
  readonly #response: IncomingMessage;
  readonly #url: string;
  readonly #decoder = new RecordDecoder();
  #events: SchedulerEvent[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #ended = false;
  #endReason = 'the master closed the stream';
  #timer: NodeJS.Timeout;
  #silenceMs = MISSED_HEARTBEATS * DEFAULT_HEARTBEAT_SECONDS * 1000;

  constructor(response: IncomingMessage, url: string) {
    this.#response = response;
    this.#url = url;
    this.#timer = setTimeout(() => this.#silent(), this.#silenceMs);
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('error', (error) => this.#end(`the stream broke: ${textOf(error)}`));
    response.on('close', () =>
      this.#end(this.#decoder.atBoundary ? this.#endReason : 'the stream was cut in a record'),
    );
  }

  get endReason(): string {
    return this.#endReason;
  }

  /** The next event; undefined when the stream is over. Rejects when the stream holds what it must not. */
  async next(): Promise<SchedulerEvent | undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#response.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    this.#timer.refresh();
    try {
      for (const record of this.#decoder.push(chunk)) {
        const event = knownSchedulerEvent(JSON.parse(record.toString('utf8')));
        if (event === undefined) continue;
        if (event.type === 'SUBSCRIBED') this.#expectHeartbeats(event.subscribed.heartbeat_interval_seconds);
        this.#events.push(event);
      }
    } catch (cause) {
      this.#failure = new MesosAnswerError({
        url: this.#url,
        call: 'scheduler event stream',
        problem: textOf(cause),
        cause,
      });
      this.#end('the stream holds what is no event');
    }
    this.#wake?.();
  }

  #expectHeartbeats(seconds: number | undefined): void {
    if (seconds === undefined || seconds <= 0) return;
    this.#silenceMs = MISSED_HEARTBEATS * seconds * 1000;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent(), this.#silenceMs);
  }

  #silent(): void {
    this.#end(`no heartbeat for ${this.#silenceMs / 1000} s`);
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endReason = reason;
    clearTimeout(this.#timer);
    this.#response.destroy();
    this.#wake?.();
  }
}

/** Undefined when the caller's signal ended the call. */
async function openUnlessAborted(call: HttpCall): Promise<HttpStream | undefined> {
  try {
    return await openHttp(call);
  } catch (error) {
    if (call.signal?.aborted) return undefined;
    throw error;
  }
}

/** The text of a refusal; refusals are short, and a stream that never ends is none. */
async function readShort(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => response.destroy(), 5_000);
  try {
    for await (const chunk of response) {
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      if (size > 64 * 1024) break;
    }
  } catch (error) {
    chunks.push(Buffer.from(` (the answer was cut: ${textOf(error)})`));
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  return Buffer.concat(chunks).toString('utf8');
}
