import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditHead } from '../../domain/audit.ts';
import { canonicalJson } from '../../domain/digest.ts';
import type { FreezeEntry } from '../../domain/ledger.ts';
import { appendAudit, freshOf, lockAudit } from './audit.ts';
import { plain } from './plain.ts';
import type { Tables } from './tables.ts';

/** Migration: freezes, and which step an approval was for. */
export async function freezesAndApprovedSteps(db: Kysely<Tables>): Promise<void> {
  await sql`create table freezes (
    id text primary key,
    environment text,
    service text,
    by text not null,
    reason text not null,
    begun_at timestamptz not null,
    until timestamptz,
    ended_by text,
    ended_reason text,
    ended_at timestamptz
  )`.execute(db);
  await sql`create index freezes_by_time on freezes (begun_at)`.execute(db);
  // A person may approve the same plan at several of its steps.
  await sql`alter table approvals add column step text not null default 'approve'`.execute(db);
  await sql`alter table approvals alter column step drop default`.execute(db);
  await sql`alter table approvals drop constraint approvals_pkey`.execute(db);
  await sql`alter table approvals add primary key (release, step, by)`.execute(db);
}

/**
 * Writes what became of freezes in one transaction: each into its row and into the audit. What was written before
 * changes nothing, so the same call twice is one.
 *
 * @returns the end of the audit
 * @throws when a freeze of that id is there and says something else
 */
export async function writeFreezes(db: Kysely<Tables>, entries: readonly FreezeEntry[]): Promise<AuditHead> {
  return db.transaction().execute(async (transaction) => {
    const head = await lockAudit(transaction);
    if (entries.length === 0) return head;
    const fresh = await freshOf(transaction, entries.map(auditEntryOf));
    for (const { entry } of fresh) await writeRow(transaction, entry);
    return appendAudit(
      transaction,
      head,
      fresh.map(({ entry: _, ...auditEntry }) => auditEntry),
    );
  });
}

function auditEntryOf(entry: FreezeEntry) {
  return {
    entry,
    key: `freeze ${entry.id} ${entry.kind}`,
    at: new Date(entry.at).toISOString(),
    actor: plain(entry.by),
    action: entry.kind,
    subject: `freeze/${entry.id}`,
    detail: canonicalJson(entry),
  };
}

async function writeRow(transaction: Transaction<Tables>, entry: FreezeEntry): Promise<void> {
  if (entry.kind === 'unfreeze') {
    const ended = { ended_by: plain(entry.by), ended_reason: plain(entry.reason), ended_at: entry.at };
    await transaction.updateTable('freezes').set(ended).where('id', '=', entry.id).execute();
    return;
  }
  const { id, scope, by, reason, at, until } = entry;
  await transaction
    .insertInto('freezes')
    .values({
      id,
      environment: scope.environment ?? null,
      service: scope.service ?? null,
      by: plain(by),
      reason: plain(reason),
      begun_at: at,
      until: until ?? null,
    })
    .execute();
}
