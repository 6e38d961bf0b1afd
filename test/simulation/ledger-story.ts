import type { Ledger } from '../../activities/ledger/client.ts';

/** What the ledger knows of one release. */
export interface LedgerStory {
  readonly outcome: string | null;
  /** Outcome of each step that has begun. */
  readonly steps: Readonly<Record<string, string>>;
  readonly verdicts: number;
  readonly approvals: number;
}

export async function ledgerStory(ledger: Ledger, release: string): Promise<LedgerStory> {
  return ledger.use(async (db) => {
    const row = await db.selectFrom('releases').select('outcome').where('id', '=', release).executeTakeFirst();
    const steps = await db.selectFrom('steps').select(['id', 'outcome']).where('release', '=', release).execute();
    const verdicts = await db.selectFrom('verdicts').select('number').where('release', '=', release).execute();
    const approvals = await db.selectFrom('approvals').select('by').where('release', '=', release).execute();
    return {
      outcome: row?.outcome ?? null,
      steps: Object.fromEntries(steps.map(({ id, outcome }) => [id, outcome])),
      verdicts: verdicts.length,
      approvals: approvals.length,
    };
  });
}

/** Ids of the steps that the ledger knows to have begun. */
export function stepsInLedger(ledger: Ledger, release: string): Promise<ReadonlySet<string>> {
  return ledger.use(async (db) => {
    const rows = await db.selectFrom('steps').select('id').where('release', '=', release).execute();
    return new Set(rows.map(({ id }) => id));
  });
}
