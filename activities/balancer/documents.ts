import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import type { TrafficDocument } from '../../domain/traffic.ts';
import { MAX_WEIGHT } from '../../domain/traffic.ts';
import type { ConsulClient } from '../consul/client.ts';

/** Prefix of every traffic document in Consul's key-value store. */
const TRAFFIC_PREFIX = 'slipway/traffic/';

const TrafficDocumentSchema = z.object({
  shares: z.record(z.string(), z.number().min(0).max(100)),
  weights: z.record(z.string(), z.number().int().min(0).max(MAX_WEIGHT)),
  healthPath: z.string().startsWith('/'),
});

/** A document as it is stored. */
export interface StoredDocument {
  readonly document: TrafficDocument;
  readonly modifyIndex: number;
}

/** The traffic document of one service in one environment. */
export class TrafficDocuments {
  readonly #consul: ConsulClient;

  constructor(consul: ConsulClient) {
    this.#consul = consul;
  }

  /** The document; undefined where the service is not in the environment's balancer. */
  async read(environment: string, service: string): Promise<StoredDocument | undefined> {
    const entry = await this.#consul.kvGet(keyOf(environment, service));
    if (entry === undefined) return undefined;
    return { document: parseDocument(entry.key, entry.value), modifyIndex: entry.modifyIndex };
  }

  /**
   * Writes the document in place of the one that was read (`undefined`: of none), and reads it back. Writes nothing
   * where it is there already. `NotVerified` when somebody else wrote meanwhile: then read and decide again.
   */
  async write(
    environment: string,
    service: string,
    document: TrafficDocument,
    before: StoredDocument | undefined,
  ): Promise<StoredDocument> {
    if (before !== undefined && sameDocument(before.document, document)) return before;
    const key = keyOf(environment, service);
    await this.#consul.kvPut(key, JSON.stringify(document), { cas: before?.modifyIndex ?? 0 });
    const stored = await this.read(environment, service);
    if (stored !== undefined && sameDocument(stored.document, document)) return stored;
    throw ApplicationFailure.create({
      type: FailureType.NotVerified,
      message: `Consul ${this.#consul.url}: ${key} is not what was written; somebody else writes it`,
      details: [{ wrote: document, found: stored?.document ?? null }],
    });
  }

  /** Removes the document, or nothing where there is none. */
  async remove(environment: string, service: string): Promise<void> {
    await this.#consul.kvDelete(keyOf(environment, service));
  }

  /** Every document, by the name of its backend, `<environment>.<service>`. */
  async readAll(): Promise<ReadonlyMap<string, TrafficDocument>> {
    const entries = await this.#consul.kvList(TRAFFIC_PREFIX);
    return new Map(
      entries.map(({ key, value }) => {
        const [environment = '', service = ''] = key.slice(TRAFFIC_PREFIX.length).split('/');
        return [backendName(environment, service), parseDocument(key, value)];
      }),
    );
  }
}

/** Name of the balancer's backend of a service in an environment. */
export const backendName = (environment: string, service: string): string => `${environment}.${service}`;

/** Whether two documents say the same, whatever the order of their keys. */
function sameDocument(one: TrafficDocument, other: TrafficDocument): boolean {
  const same = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => a[key] === b[key]);
  return one.healthPath === other.healthPath && same(one.shares, other.shares) && same(one.weights, other.weights);
}

const keyOf = (environment: string, service: string): string => `${TRAFFIC_PREFIX}${environment}/${service}`;

function parseDocument(key: string, value: string): TrafficDocument {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    // Not JSON: the schema then says that it does not fit.
  }
  const document = TrafficDocumentSchema.safeParse(json);
  if (document.success) return document.data;
  const issue = document.error.issues[0];
  throw ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `Consul: ${key} holds no traffic document (${issue?.path.join('.')}: ${issue?.message}); mend or remove it`,
  });
}
