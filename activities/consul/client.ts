import { CancelledFailure } from '@temporalio/common';
import Consul from 'consul';
import type { z } from 'zod';
import { fetchFailureReason } from '../fetch-failure.ts';
import { answerFailure, networkFailure, requestInvalid, unexpectedAnswer } from './errors.ts';
import {
  AgentSelfSchema,
  type AgentService,
  AgentServicesSchema,
  KvEntriesSchema,
  type KvEntry,
  type ServiceCheck,
  type ServiceHealth,
  ServiceHealthSchema,
  type ServiceRegistration,
  TransactionAnswerSchema,
  type TransactionOperation,
  type TransactionResult,
} from './types.ts';

/** Where a Consul agent is and how to speak to it. */
export interface ConsulOptions {
  /** Address of the agent's HTTP API, such as `http://127.0.0.1:8500`. */
  readonly url: string;
  readonly token?: string;
  /** Longest time for one call, connection included. Default 5 000. */
  readonly timeoutMs?: number;
}

/** Consul takes 512 KB a value; more than this is no configuration any more. */
export const MAX_VALUE_BYTES = 400 * 1024;

/**
 * A server that was started again leads before it has read its whole log, and answers plain reads from what it has by
 * then: an older state than it gave before. This asks it to be sure first; until it is it answers with 500.
 * https://developer.hashicorp.com/consul/api-docs/features/consistency
 */
const CONSISTENT = { consistent: true } as const;

/** Servers before 1.12 take no more; newer ones take 128. */
const MAX_TRANSACTION_OPERATIONS = 64;

/** Newer releases refuse other names. */
const KEY = /^[A-Za-z0-9._/-]+$/;

/**
 * A thin client of one Consul agent: one method a call, no retry, no memory. Plain reads go through the `consul`
 * package; what it gets wrong is called here: it drops `Weights` and the replacing of checks on register, answers
 * `undefined` for a lost compare-and-set, hides the reason of a failed transaction, and its watch runs hot.
 *
 * Every method fails with an `ApplicationFailure`: `SystemUnavailable` when nothing answered, on 5xx (no leader) and
 * for a 4xx that may pass; `SystemRefused`, not retryable, on any other; `UnexpectedAnswer` when the answer is not what
 * the API promises; `RequestInvalid` for a key, value or transaction that Consul would not take.
 */
export class ConsulClient {
  /** Address without a slash at its end. */
  readonly url: string;
  readonly #consul: Consul;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  constructor(options: ConsulOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    // `baseUrl` and `timeout` reach the HTTP layer below the package, whose own types leave them out.
    const settings = {
      baseUrl: `${this.url}/v1`,
      timeout: this.#timeoutMs,
      ...(options.token === undefined ? {} : { defaults: { token: options.token } }),
    };
    this.#consul = new Consul(settings);
  }

  /** Ends idle connections; the client must not be used after it. */
  close(): void {
    this.#consul.destroy();
  }

  /** The value of a key; undefined where there is none. */
  async kvGet(key: string): Promise<KvEntry | undefined> {
    checkKey(key);
    const call = `GET kv ${key}`;
    const found = await this.#read(call, () => this.#consul.kv.get({ ...CONSISTENT, key }));
    return found === undefined || found === null ? undefined : this.#entries(call, [found])[0];
  }

  /** All keys under a prefix with their values, in the order of their names. One request. */
  async kvList(prefix: string): Promise<readonly KvEntry[]> {
    checkKey(prefix);
    const call = `GET kv ${prefix} recursively`;
    const found: unknown = await this.#read(call, () =>
      this.#consul.kv.get({ ...CONSISTENT, key: prefix, recurse: true }),
    );
    return this.#entries(call, found ?? []);
  }

  /**
   * Writes a value.
   *
   * @param options.cas write only if the key's modify index is this; 0: only if there is no such key
   * @returns false when the compare-and-set lost, and then nothing was written
   */
  async kvPut(key: string, value: string, options: { readonly cas?: number } = {}): Promise<boolean> {
    checkKey(key);
    checkValue(key, value);
    const query = options.cas === undefined ? '' : `?cas=${options.cas}`;
    return this.#yesOrNo('PUT', `/v1/kv/${key}${query}`, value);
  }

  /** Removes a key, or nothing where there is none. @returns false when the compare-and-set lost */
  async kvDelete(key: string, options: { readonly cas?: number } = {}): Promise<boolean> {
    checkKey(key);
    return this.#yesOrNo('DELETE', `/v1/kv/${key}${options.cas === undefined ? '' : `?cas=${options.cas}`}`);
  }

  /** Makes all operations or none. Size and number are checked before sending, as servers differ in how they refuse. */
  async transaction(operations: readonly TransactionOperation[]): Promise<TransactionResult> {
    checkTransaction(operations);
    const body = operations.map((operation) => ({
      KV: {
        Verb: operation.verb,
        Key: operation.key,
        ...('value' in operation ? { Value: Buffer.from(operation.value).toString('base64') } : {}),
        ...('index' in operation ? { Index: operation.index } : {}),
      },
    }));
    const call = 'PUT /v1/txn';
    const { status, text } = await this.#send('PUT', '/v1/txn', JSON.stringify(body));
    if (status !== 200 && status !== 409) throw answerFailure(this.url, call, status, text);
    const answer = this.#parse(call, text, TransactionAnswerSchema);
    if (status === 200) return { made: true };
    return { made: false, conflicts: answer.Errors.map(({ OpIndex, What }) => ({ operation: OpIndex, what: What })) };
  }

  /** Registers a service on this agent, or replaces it with all its checks. Idempotent. */
  async registerService(registration: ServiceRegistration): Promise<void> {
    const path = '/v1/agent/service/register?replace-existing-checks=true';
    const { status, text } = await this.#send('PUT', path, JSON.stringify(registrationBody(registration)));
    if (status !== 200) throw answerFailure(this.url, `register service ${registration.id}`, status, text);
  }

  /** Removes a service from this agent, or nothing where there is none. */
  async deregisterService(id: string): Promise<void> {
    // Releases from 1.11 on answer 404 for an id they do not know; older ones 200. Both mean that it is gone.
    await this.#read(`deregister service ${id}`, () => this.#consul.agent.service.deregister(id), [404]);
  }

  /** The name of this agent's node, under which the catalogue has its services. */
  async nodeName(): Promise<string> {
    const call = 'GET agent self';
    const found: unknown = await this.#read(call, () => this.#consul.agent.self());
    return this.#check(call, found, AgentSelfSchema).Config.NodeName;
  }

  /** The services registered on this agent. */
  async agentServices(): Promise<readonly AgentService[]> {
    const call = 'GET agent services';
    const found: unknown = await this.#read(call, () => this.#consul.agent.services());
    return Object.values(this.#check(call, found, AgentServicesSchema)).map(agentService);
  }

  /** Every instance of a service in the datacentre with its state. @param tag only instances with this tag */
  async serviceHealth(name: string, tag?: string): Promise<readonly ServiceHealth[]> {
    const call = `GET health of service ${name}`;
    const query = { ...CONSISTENT, service: name, ...(tag === undefined ? {} : { tag }) };
    const found: unknown = await this.#read(call, () => this.#consul.health.service(query));
    return this.#check(call, found, ServiceHealthSchema).map(({ Node, Service, Checks }) => {
      const states = new Set(Checks.map((check) => check.Status));
      const status = states.has('critical') ? 'critical' : states.has('warning') ? 'warning' : 'passing';
      const service = agentService(Service);
      return { ...service, address: service.address || Node.Address, status };
    });
  }

  /**
   * One blocking query: the answer's text and its index. Comes back when something changed after `index`, or for no
   * reason, at the latest after the wait and a sixteenth of it (which Consul adds at random).
   *
   * @param path path and query under the address, such as `/v1/kv/slipway/traffic?recurse=true`
   */
  async block(
    path: string,
    options: { readonly index: number; readonly waitSeconds: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly text: string; readonly index: number }> {
    const query = `${path.includes('?') ? '&' : '?'}index=${options.index}&wait=${options.waitSeconds}s`;
    const longest = Math.ceil(options.waitSeconds * 1000 * (17 / 16)) + this.#timeoutMs;
    const answer = await this.#send('GET', `${path}${query}`, undefined, longest, options.signal);
    // 404 is how the key-value store says that nothing is there, which is an answer too.
    if (answer.status !== 200 && answer.status !== 404) {
      throw answerFailure(this.url, `GET ${path}`, answer.status, answer.text);
    }
    const index = Number(answer.index);
    if (!Number.isInteger(index)) {
      throw unexpectedAnswer(this.url, `GET ${path}`, answer.text, 'has no X-Consul-Index, so it can not be watched');
    }
    return { text: answer.status === 404 ? '' : answer.text, index };
  }

  /** Calls the package and gives its errors this client's form. */
  async #read<T>(call: string, read: () => Promise<T>, missing: readonly number[] = []): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const response = responseOf(error);
      if (response !== undefined) {
        if (missing.includes(response.status)) return undefined;
        throw answerFailure(this.url, call, response.status, response.text);
      }
      throw networkFailure(this.url, call, fetchFailureReason(error), error);
    }
  }

  async #yesOrNo(method: 'PUT' | 'DELETE', path: string, body?: string): Promise<boolean> {
    const { status, text } = await this.#send(method, path, body);
    if (status !== 200) throw answerFailure(this.url, `${method} ${path}`, status, text);
    const said = text.trim();
    if (said === 'true' || said === 'false') return said === 'true';
    throw unexpectedAnswer(this.url, `${method} ${path}`, text, 'is neither true nor false');
  }

  async #send(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    body?: string,
    timeoutMs = this.#timeoutMs,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string; readonly index: string | null }> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(this.url + path, {
        method,
        redirect: 'error',
        headers: this.#token === undefined ? {} : { 'X-Consul-Token': this.#token },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(body === undefined ? {} : { body }),
      });
      const index = response.headers.get('x-consul-index');
      return { status: response.status, text: await response.text(), index };
    } catch (error) {
      const call = `${method} ${path}`;
      if (signal?.aborted) throw new CancelledFailure(`Consul ${this.url}: ${call} was cancelled`);
      const reason = timeout.aborted ? `no answer within ${timeoutMs} ms` : fetchFailureReason(error);
      throw networkFailure(this.url, call, reason, error);
    }
  }

  #entries(call: string, found: unknown): readonly KvEntry[] {
    return this.#check(call, found, KvEntriesSchema).map(({ Key, Value, ModifyIndex }) => ({
      key: Key,
      value: Value ?? '',
      modifyIndex: ModifyIndex,
    }));
  }

  #parse<T extends z.ZodType>(call: string, text: string, schema: T): z.output<T> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw unexpectedAnswer(this.url, call, text, 'is not JSON');
    }
    return this.#check(call, value, schema);
  }

  #check<T extends z.ZodType>(call: string, value: unknown, schema: T): z.output<T> {
    const checked = schema.safeParse(value);
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0];
    const problem = `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
    throw unexpectedAnswer(this.url, call, JSON.stringify(value) ?? '', `does not fit (${problem})`);
  }
}

function checkKey(key: string): void {
  if (!KEY.test(key)) throw requestInvalid(`"${key}" is no key for Consul; use letters, digits and . _ - /`);
}

function checkValue(key: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= MAX_VALUE_BYTES) return;
  throw requestInvalid(
    `the value of ${key} has ${bytes} bytes, more than ${MAX_VALUE_BYTES}; keep large data elsewhere and refer to it`,
  );
}

function checkTransaction(operations: readonly TransactionOperation[]): void {
  if (operations.length === 0 || operations.length > MAX_TRANSACTION_OPERATIONS) {
    throw requestInvalid(
      `a transaction has 1 to ${MAX_TRANSACTION_OPERATIONS} operations, this has ${operations.length}`,
    );
  }
  let bytes = 0;
  for (const operation of operations) {
    checkKey(operation.key);
    if ('value' in operation) bytes += Buffer.byteLength(operation.value);
  }
  // Base64 takes a third more, and the whole request has to stay under 512 KB.
  if (bytes > MAX_VALUE_BYTES * 0.75) {
    throw requestInvalid(`the values of a transaction have ${bytes} bytes together, too many for one request`);
  }
}

function registrationBody(registration: ServiceRegistration): unknown {
  const { id, name, tags, meta, address, port, check } = registration;
  return {
    ID: id,
    Name: name,
    Tags: tags,
    Meta: meta,
    Address: address,
    Port: port,
    Weights: { Passing: registration.weight ?? 1, Warning: registration.weight ?? 1 },
    ...(check === undefined ? {} : { Check: checkBody(registration, check) }),
  };
}

function checkBody({ id, address, port }: ServiceRegistration, check: ServiceCheck): unknown {
  return {
    // Without an id of our own Consul counts positions, and a repeated registration could leave a second check.
    CheckID: `service:${id}`,
    Name: check.url === undefined ? `TCP ${address}:${port}` : `GET ${check.url}`,
    ...(check.url === undefined ? { TCP: `${address}:${port}` } : { HTTP: check.url, Method: 'GET' }),
    Interval: `${check.intervalSeconds}s`,
    Timeout: `${check.timeoutSeconds}s`,
    Status: check.startsAs,
    DeregisterCriticalServiceAfter: `${check.deregisterAfterSeconds}s`,
  };
}

function agentService(service: z.output<typeof AgentServicesSchema>[string]): AgentService {
  return {
    id: service.ID,
    name: service.Service,
    tags: service.Tags,
    meta: service.Meta,
    address: service.Address,
    port: service.Port,
  };
}

/** Status and text when the package's error is an answer of Consul; undefined when there was none. */
function responseOf(error: unknown): { readonly status: number; readonly text: string } | undefined {
  const response = member(error, 'response');
  const status = member(response, 'statusCode');
  if (typeof status !== 'number') return undefined;
  const body = member(response, 'body');
  // The package parses what says that it is JSON.
  const parsed = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
  return { status, text: parsed ? JSON.stringify(body) : String(body ?? '') };
}

/** Errors of Node itself are not all `instanceof` this realm's `Error`. */
function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
