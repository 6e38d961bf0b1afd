import { ApplicationFailure } from '@temporalio/common';
import type { AuditHead, AuditReport } from '../../domain/audit.ts';
import { FailureType } from '../../domain/failures.ts';
import type { Rejudgement } from '../../domain/judge/rejudge.ts';
import type { FreezeEntry, LedgerEntries } from '../../domain/ledger.ts';
import { verifyAudit } from './audit.ts';
import type { Ledger } from './client.ts';
import { writeEntries } from './entries.ts';
import { writeFreezes } from './freezes.ts';
import { type RejudgeOrder, rejudgeRelease } from './verdicts.ts';

export type LedgerActivities = ReturnType<typeof createLedgerActivities>;

/**
 * Activities on the ledger. Every failure of the database is a `SystemUnavailable` and may be tried again: what it refuses,
 * such as a password or a full disk, a person mends there, and until then nothing else helps.
 */
export function createLedgerActivities(ledger: Ledger) {
  return {
    /** Writes entries of one workflow; written before, they change nothing. @returns the end of the audit */
    async writeLedger(told: LedgerEntries): Promise<AuditHead> {
      return call(`writing ${told.entries.length} entries of ${told.teller}`, () =>
        ledger.use((db) => writeEntries(db, told)),
      );
    },

    /** Writes what became of freezes; written before, it changes nothing. @returns the end of the audit */
    async writeFreezes({ entries }: { readonly entries: readonly FreezeEntry[] }): Promise<AuditHead> {
      return call(`writing ${entries.length} entries of freezes`, () => ledger.use((db) => writeFreezes(db, entries)));
    },

    /** Walks the whole audit and names the first row that does not hold. */
    async verifyAudit(): Promise<AuditReport> {
      return call('verifying the audit', () => ledger.use(verifyAudit));
    },

    /** Judges every verdict of a release again, from what the ledger keeps; fails as `rejudgeRelease` does. */
    async rejudge(order: RejudgeOrder): Promise<readonly Rejudgement[]> {
      return call(`reading the verdicts of ${order.release}`, () => ledger.use((db) => rejudgeRelease(db, order)));
    },
  };
}

async function call<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    const said = error instanceof Error ? error.message || error.name : String(error);
    throw ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `ledger: ${what} failed: ${said}; check what ledger names in the configuration`,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}
