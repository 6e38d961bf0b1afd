import type { Kysely, Transaction } from 'kysely';
import type { AuditHead } from '../../domain/audit.ts';
import { canonicalJson } from '../../domain/digest.ts';
import { actorOf, type LedgerEntries, type LedgerEntry } from '../../domain/ledger.ts';
import { appendAudit, freshOrRetold, lockAudit } from './audit.ts';
import { plain } from './plain.ts';
import { writeBundle, writeService, writeVeto } from './services-bundles-vetoes.ts';
import type { Tables } from './tables.ts';

/**
 * Writes entries in one transaction: each into the row that it is about and into the audit. Entries that were written
 * before change nothing, so the same call twice is one. Another story under the same number, told later, counts from then
 * on: see `freshOrRetold`.
 *
 * @returns the end of the audit
 */
export async function writeEntries(db: Kysely<Tables>, told: LedgerEntries): Promise<AuditHead> {
  return db.transaction().execute(async (transaction) => {
    const head = await lockAudit(transaction);
    if (told.entries.length === 0) return head;
    const wanted = told.entries.map((entry, index) => auditEntryOf(told, entry, told.first + index));
    const fresh = await freshOrRetold(transaction, wanted);
    const about = { teller: plain(told.teller), service: plain(told.service) };
    const [first] = fresh;
    if (first !== undefined) await writeService(transaction, about.service, first.at);
    for (const { entry } of fresh) await writeRow(transaction, about, entry);
    return appendAudit(
      transaction,
      head,
      fresh.map(({ entry: _, ...auditEntry }) => auditEntry),
    );
  });
}

function auditEntryOf({ teller, run }: LedgerEntries, entry: LedgerEntry, number: number) {
  return {
    entry,
    key: plain(`${teller} ${run} ${number}`),
    at: new Date(entry.at).toISOString(),
    actor: plain(actorOf(entry)),
    action: entry.kind,
    subject: plain(teller),
    detail: canonicalJson(entry),
  };
}

interface About {
  readonly teller: string;
  readonly service: string;
}

async function writeRow(transaction: Transaction<Tables>, about: About, entry: LedgerEntry): Promise<void> {
  const { service, teller } = about;
  const { at } = entry;
  switch (entry.kind) {
    // Kept by the audit alone.
    case 'drifted':
    case 'drift-resolved':
      return;
    case 'vetoed':
      return writeVeto(transaction, { service, environment: entry.environment, veto: entry.veto });
    case 'veto-lifted': {
      const { by, environment, reason, veto } = entry;
      return writeVeto(transaction, { service, environment, veto, lifted: { by, at, reason } });
    }
    default:
      await transaction
        .insertInto('releases')
        .values({ id: teller, service })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      return writeReleaseRow(transaction, teller, entry);
  }
}

type ReleaseEntry = Exclude<LedgerEntry, { readonly kind: 'vetoed' | 'veto-lifted' | 'drifted' | 'drift-resolved' }>;

async function writeReleaseRow(transaction: Transaction<Tables>, release: string, entry: ReleaseEntry): Promise<void> {
  switch (entry.kind) {
    case 'bundle':
      return writeBundle(transaction, release, entry);
    case 'begun': {
      const { at, by, request } = entry;
      const begun = { requested_by: plain(by), request: JSON.stringify(request), begun_at: at };
      await transaction.updateTable('releases').set(begun).where('id', '=', release).execute();
      return;
    }
    case 'planned': {
      const planned = { plan_digest: entry.digest, plan: JSON.stringify(entry.plan) };
      await transaction.updateTable('releases').set(planned).where('id', '=', release).execute();
      return;
    }
    case 'step': {
      const { id, kind, environment, outcome, startedAt, endedAt, detail } = entry.step;
      const row = {
        kind,
        environment: environment ?? null,
        outcome,
        started_at: startedAt ?? null,
        ended_at: endedAt ?? null,
        detail: detail === undefined ? null : plain(detail),
      };
      await transaction
        .insertInto('steps')
        .values({ release, id, ...row })
        .onConflict((conflict) => conflict.columns(['release', 'id']).doUpdateSet(row))
        .execute();
      return;
    }
    case 'verdict': {
      const { at, inputs, judge, step, verdict } = entry;
      const row = { given_at: at, step, judge, verdict: JSON.stringify(verdict), inputs: JSON.stringify(inputs) };
      await transaction
        .insertInto('verdicts')
        .values({ release, number: entry.number, ...row })
        .onConflict((conflict) => conflict.columns(['release', 'number']).doUpdateSet(row))
        .execute();
      return;
    }
    case 'approval': {
      const { by, step, planDigest, at } = entry.approval;
      const row = { plan_digest: planDigest, given_at: at };
      await transaction
        .insertInto('approvals')
        .values({ release, step, by: plain(by), ...row })
        .onConflict((conflict) => conflict.columns(['release', 'step', 'by']).doUpdateSet(row))
        .execute();
      return;
    }
    case 'rollback': {
      const { environment, reason, decidedAt, trafficAt, doneAt } = entry.rollback;
      const row = {
        reason: plain(reason),
        decided_at: decidedAt,
        traffic_at: trafficAt ?? null,
        done_at: doneAt ?? null,
      };
      await transaction
        .insertInto('rollbacks')
        .values({ release, environment, ...row })
        .onConflict((conflict) => conflict.columns(['release', 'environment']).doUpdateSet(row))
        .execute();
      return;
    }
    case 'ended': {
      const { at, outcome, failure } = entry;
      const ended = { outcome, failure: failure === undefined ? null : JSON.stringify(failure), ended_at: at };
      await transaction.updateTable('releases').set(ended).where('id', '=', release).execute();
      return;
    }
    case 'command':
    case 'stopped':
  }
}
