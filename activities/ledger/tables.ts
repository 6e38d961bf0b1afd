import type { ColumnType, Generated } from 'kysely';

/** A point in time: written as ISO 8601, read as a `Date`. */
type Time = ColumnType<Date, string, string>;
/** Written as JSON text, which the `json` type keeps to the letter; read parsed. */
type Json = ColumnType<unknown, string, string>;

/** The ledger's tables, as `migrations.ts` makes them. */
export interface Tables {
  services: { name: string; known_since: Time };
  bundles: {
    id: string;
    service: string;
    version: string;
    commit: string;
    image_repository: string;
    image_digest: string;
    test_images: Json;
    config_version: number;
    manifest_digest: string;
    /** The release that told of it first. */
    release: string;
    known_since: Time;
  };
  vetoes: {
    environment: string;
    bundle: string;
    /** The release, or the rollback after its end, that went back. */
    release: string;
    service: string;
    version: string;
    reason: string;
    placed_at: Time;
    lifted_by: string | null;
    lifted_at: Time | null;
    lift_reason: string | null;
  };
  releases: {
    /** Workflow id. */
    id: string;
    service: string;
    requested_by: string | null;
    request: Json | null;
    begun_at: Time | null;
    plan_digest: string | null;
    plan: Json | null;
    outcome: string | null;
    failure: Json | null;
    ended_at: Time | null;
  };
  steps: {
    release: string;
    id: string;
    kind: string;
    environment: string | null;
    outcome: string;
    started_at: Time | null;
    ended_at: Time | null;
    detail: string | null;
  };
  verdicts: {
    release: string;
    number: number;
    given_at: Time;
    /** Null in what was written before verdicts had them. */
    step: string | null;
    judge: string | null;
    verdict: Json;
    inputs: Json;
  };
  approvals: { release: string; step: string; by: string; plan_digest: string; given_at: Time };
  rollbacks: {
    release: string;
    environment: string;
    reason: string;
    decided_at: Time;
    traffic_at: Time | null;
    done_at: Time | null;
  };
  freezes: {
    id: string;
    /** Null for every one; the same of the service. */
    environment: string | null;
    service: string | null;
    by: string;
    reason: string;
    begun_at: Time;
    until: Time | null;
    /** `slipway` when its time had come. */
    ended_by: string | null;
    ended_reason: string | null;
    ended_at: Time | null;
  };
  audit: {
    /** `bigint`: PostgreSQL's driver reads text, the embedded one a number. */
    number: ColumnType<string | number, number, never>;
    /** Names the fact, so that it is told once. */
    key: string;
    at: Time;
    actor: string;
    action: string;
    subject: string;
    /** Canonical JSON as text, since its hash is over each letter. */
    detail: string;
    previous: string;
    hash: string;
  };
  audit_head: { one: Generated<boolean>; number: ColumnType<string | number, number, number>; hash: string };
}
