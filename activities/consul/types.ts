import { z } from 'zod';

/**
 * What Slipway reads of Consul's answers, checked at the border. Objects are loose: members that other releases add
 * hurt nobody. Written for the HTTP API `/v1` of Consul 1.8 to 1.22.
 */

const tags = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const meta = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** Weight of an instance in SRV answers. */
const WeightsSchema = z.looseObject({ Passing: z.number(), Warning: z.number() });

/** One service of `GET /v1/agent/services`. */
const AgentServiceSchema = z.looseObject({
  ID: z.string(),
  Service: z.string(),
  Tags: tags,
  Meta: meta,
  Address: z.string(),
  Port: z.number(),
  Weights: WeightsSchema.nullish(),
});
export const AgentServicesSchema = z.record(z.string(), AgentServiceSchema);

/** What `GET /v1/agent/self` says of the agent. */
export const AgentSelfSchema = z.looseObject({ Config: z.looseObject({ NodeName: z.string() }) });

/** One entry of `GET /v1/health/service/<name>`. */
export const ServiceHealthSchema = z.array(
  z.looseObject({
    Node: z.looseObject({ Address: z.string() }),
    Service: AgentServiceSchema,
    Checks: z.array(z.looseObject({ CheckID: z.string(), Status: z.string(), Output: z.string().optional() })),
  }),
);

/** One pair of `GET /v1/kv/<key>`; the npm client has decoded the value already. */
export const KvEntriesSchema = z.array(
  z.looseObject({ Key: z.string(), Value: z.string().nullable(), ModifyIndex: z.number() }),
);

/** The answer to `PUT /v1/txn`, both to one that was made (200) and to one that was not (409). */
export const TransactionAnswerSchema = z.looseObject({
  Errors: z
    .array(z.looseObject({ OpIndex: z.number(), What: z.string() }))
    .nullish()
    .transform((value) => value ?? []),
});

/** A key with its value. */
export interface KvEntry {
  readonly key: string;
  readonly value: string;
  /** Changes with every write; what a compare-and-set names. */
  readonly modifyIndex: number;
}

/** A service as the agent has it. */
export interface AgentService {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly address: string;
  readonly port: number;
}

/** An instance with the worst state of its and its node's checks. */
export interface ServiceHealth extends AgentService {
  readonly status: 'passing' | 'warning' | 'critical';
}

/** A service to register. */
export interface ServiceRegistration extends AgentService {
  /** Weight in SRV answers; 1 when absent. */
  readonly weight?: number;
  readonly check?: ServiceCheck;
}

/** A check that the agent makes itself: HTTP where there is a path, else a TCP connection. */
export interface ServiceCheck {
  /** Full URL; 2xx passes, 429 warns, else critical. Absent: a TCP connection to the service's address and port. */
  readonly url?: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** State until the first result, so that a service known to work is not taken out for one interval. */
  readonly startsAs: 'passing' | 'critical';
  /** The agent removes the service after so long in critical state; Consul's minimum is 60. */
  readonly deregisterAfterSeconds: number;
}

/** One operation of a transaction; all are made or none. */
export type TransactionOperation =
  | { readonly verb: 'set'; readonly key: string; readonly value: string }
  | { readonly verb: 'cas'; readonly key: string; readonly value: string; readonly index: number }
  | { readonly verb: 'delete'; readonly key: string }
  | { readonly verb: 'check-index'; readonly key: string; readonly index: number }
  | { readonly verb: 'check-not-exists'; readonly key: string };

export type TransactionResult =
  | { readonly made: true }
  /** Which operation did not hold, by its place in the list, and Consul's words for it. */
  | { readonly made: false; readonly conflicts: readonly { readonly operation: number; readonly what: string }[] };
