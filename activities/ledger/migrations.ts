import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { AUDIT_ORIGIN } from '../../domain/audit.ts';
import { freezesAndApprovedSteps } from './freezes.ts';
import { servicesBundlesAndVetoes } from './services-bundles-vetoes.ts';
import type { Tables } from './tables.ts';

/** In the order of their names. One that has run anywhere is never changed: what is to be otherwise is a new one. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-releases-and-audit': { up: releasesAndAudit },
  '002-services-bundles-vetoes': { up: servicesBundlesAndVetoes },
  '003-freezes-and-approved-steps': { up: freezesAndApprovedSteps },
  '004-judges': { up: judges },
};

/**
 * Brings the tables to what this version works with; does nothing where they are. Processes that try it at once wait
 * for each other. @throws what the database said
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableName: 'ledger_migration',
    migrationLockTableName: 'ledger_migration_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** Which step a verdict is of, and by which judge of the manifest. */
async function judges(db: Kysely<Tables>): Promise<void> {
  await sql`alter table verdicts add column step text, add column judge text`.execute(db);
}

async function releasesAndAudit(db: Kysely<Tables>): Promise<void> {
  await sql`create table releases (
    id text primary key,
    service text not null,
    requested_by text,
    request json,
    begun_at timestamptz,
    plan_digest text,
    plan json,
    outcome text,
    failure json,
    ended_at timestamptz
  )`.execute(db);
  await sql`create index releases_of_service on releases (service, begun_at)`.execute(db);
  await sql`create table steps (
    release text not null references releases,
    id text not null,
    kind text not null,
    environment text,
    outcome text not null,
    started_at timestamptz,
    ended_at timestamptz,
    detail text,
    primary key (release, id)
  )`.execute(db);
  await sql`create table verdicts (
    release text not null references releases,
    number integer not null,
    given_at timestamptz not null,
    verdict json not null,
    inputs json not null,
    primary key (release, number)
  )`.execute(db);
  await sql`create table approvals (
    release text not null references releases,
    by text not null,
    plan_digest text not null,
    given_at timestamptz not null,
    primary key (release, by, plan_digest)
  )`.execute(db);
  await sql`create table rollbacks (
    release text not null references releases,
    environment text not null,
    reason text not null,
    decided_at timestamptz not null,
    traffic_at timestamptz,
    done_at timestamptz,
    primary key (release, environment)
  )`.execute(db);
  await sql`create table audit (
    number bigint primary key,
    key text not null unique,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    previous text not null,
    hash text not null unique
  )`.execute(db);
  await sql`create index audit_of_subject on audit (subject, number)`.execute(db);
  // One row: whoever writes locks it, so the chain has one end, and rows cut off there are missed.
  await sql`create table audit_head (
    one boolean primary key default true check (one),
    number bigint not null,
    hash text not null
  )`.execute(db);
  await sql`insert into audit_head (number, hash) values (${AUDIT_ORIGIN.number}, ${AUDIT_ORIGIN.hash})`.execute(db);
  await sql`create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit is append-only: % refused', tg_op;
    end
  $$`.execute(db);
  await sql`create trigger audit_rows_stay before update or delete on audit
    for each row execute function refuse_change()`.execute(db);
  await sql`create trigger audit_stays before truncate on audit
    for each statement execute function refuse_change()`.execute(db);
  await sql`create trigger audit_head_stays before delete or truncate on audit_head
    for each statement execute function refuse_change()`.execute(db);
}
