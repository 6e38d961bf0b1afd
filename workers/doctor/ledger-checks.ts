import { Client } from 'pg';
import { withoutPassword } from '../../activities/git/client.ts';
import type { LedgerConfiguration } from '../../domain/schemas/config.ts';
import type { Check, Finding } from './check.ts';

const TIMEOUT_MS = 5_000;

/** Whether the ledger's server lets Slipway in. Makes no tables: the orchestrator does, when it starts. */
export function ledgerChecks({ url }: LedgerConfiguration): Check[] {
  if (url === undefined) return [];
  return [
    {
      system: 'Ledger',
      address: withoutPassword(url),
      advice: 'start it, make its database, or correct what ledger.url refers to',
      run: async () => {
        const client = new Client({
          connectionString: url,
          connectionTimeoutMillis: TIMEOUT_MS,
          query_timeout: TIMEOUT_MS,
        });
        await client.connect();
        try {
          const { rows } = await client.query<{ server_version: string }>('show server_version');
          return `PostgreSQL ${rows[0]?.server_version}`;
        } finally {
          await client.end();
        }
      },
    },
  ];
}

/** An embedded one can't be asked while the orchestrator has it open. */
export function ledgerNotChecked({ directory }: LedgerConfiguration): Finding[] {
  if (directory === undefined) return [];
  return [
    { system: 'Ledger', address: directory, state: 'not checked', said: 'only the orchestrator may have it open' },
  ];
}
