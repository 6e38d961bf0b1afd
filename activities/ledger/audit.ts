import type { Kysely, Transaction } from 'kysely';
import {
  AUDIT_ORIGIN,
  type AuditEntry,
  type AuditHead,
  type AuditReport,
  type AuditRow,
  auditRow,
  breakAtEnd,
  firstBreak,
} from '../../domain/audit.ts';
import { sha256Digest } from '../../domain/digest.ts';
import type { Tables } from './tables.ts';

/** Rows that are read at once. */
const PAGE = 1000;

/**
 * The end of the audit, locked until the transaction ends: writers come one after the other, whichever process they
 * are in.
 */
export async function lockAudit(transaction: Transaction<Tables>): Promise<AuditHead> {
  const head = await transaction.selectFrom('audit_head').select(['number', 'hash']).forUpdate().executeTakeFirst();
  if (head === undefined) throw new Error('the ledger has no row in audit_head: somebody took it out');
  return { number: Number(head.number), hash: head.hash };
}

/** Those of the entries that the audit does not have yet. @throws when it has one that says something else */
export async function freshOf<Entry extends { readonly key: string; readonly detail: string }>(
  transaction: Transaction<Tables>,
  wanted: readonly Entry[],
): Promise<Entry[]> {
  const before = await knownOf(
    transaction,
    wanted.map(({ key }) => key),
  );
  return wanted.filter(({ key, detail }) => {
    const known = before.get(key);
    if (known !== undefined && known.detail !== detail) {
      throw new Error(`${key} is in the ledger already and says something else: ${known.detail.slice(0, 200)}`);
    }
    return known === undefined;
  });
}

/**
 * The same for entries that a workflow counts. The task that told one may have been lost before the history knew of it:
 * the run then tells its own story from there on, later, and under the same numbers. That counts, and the audit keeps both;
 * a late copy of what was told first changes nothing.
 */
export async function freshOrRetold<
  Entry extends { readonly key: string; readonly detail: string; readonly at: string },
>(transaction: Transaction<Tables>, wanted: readonly Entry[]): Promise<Entry[]> {
  const anew = new Map(wanted.map((entry) => [entry.key, `${entry.key} retold ${sha256Digest(entry.detail)}`]));
  const before = await knownOf(transaction, [...anew].flat());
  return wanted.flatMap((entry) => {
    const known = before.get(entry.key);
    if (known === undefined) return [entry];
    const key = anew.get(entry.key) ?? entry.key;
    const isTold = known.detail === entry.detail || entry.at < known.at.toISOString() || before.has(key);
    return isTold ? [] : [{ ...entry, key }];
  });
}

async function knownOf(transaction: Transaction<Tables>, keys: readonly string[]) {
  const known = await transaction
    .selectFrom('audit')
    .select(['key', 'detail', 'at'])
    .where('key', 'in', keys)
    .execute();
  return new Map(known.map((row) => [row.key, row]));
}

/** Puts rows after the locked end, which is then behind them. @returns the new end */
export async function appendAudit(
  transaction: Transaction<Tables>,
  head: AuditHead,
  entries: readonly (AuditEntry & { readonly key: string })[],
): Promise<AuditHead> {
  let end = head;
  const rows = entries.map(({ key, ...entry }) => {
    const row = auditRow(end, entry);
    end = row;
    return { key, ...row };
  });
  if (rows.length === 0) return head;
  await transaction.insertInto('audit').values(rows).execute();
  await transaction.updateTable('audit_head').set({ number: end.number, hash: end.hash }).execute();
  return { number: end.number, hash: end.hash };
}

/** Walks the audit from its first row and computes every hash again. */
export async function verifyAudit(db: Kysely<Tables>): Promise<AuditReport> {
  // One snapshot: what is written meanwhile comes with a head that this walk does not know.
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (snapshot) => {
      const head = await snapshot.selectFrom('audit_head').select(['number', 'hash']).executeTakeFirst();
      if (head === undefined) {
        return { rows: 0, hash: AUDIT_ORIGIN.hash, broken: { number: 1, reason: 'the end of the audit is not known' } };
      }
      let last: AuditHead = AUDIT_ORIGIN;
      for (;;) {
        const page = await pageAfter(snapshot, last.number);
        const broken = firstBreak(last, page);
        if (broken !== undefined) {
          const held = page.find(({ number }) => number === broken.number - 1) ?? last;
          return { rows: held.number, hash: held.hash, broken };
        }
        last = page.at(-1) ?? last;
        if (page.length < PAGE) break;
      }
      const broken = breakAtEnd(last, { number: Number(head.number), hash: head.hash });
      return { rows: last.number, hash: last.hash, ...(broken === undefined ? {} : { broken }) };
    });
}

async function pageAfter(db: Kysely<Tables>, number: number): Promise<AuditRow[]> {
  const rows = await db
    .selectFrom('audit')
    .select(['number', 'at', 'actor', 'action', 'subject', 'detail', 'previous', 'hash'])
    .where('number', '>', number)
    .orderBy('number')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({ ...row, number: Number(row.number), at: row.at.toISOString() }));
}
