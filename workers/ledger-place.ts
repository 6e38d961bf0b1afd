import type { LedgerPlace } from '../activities/ledger/client.ts';
import type { LedgerConfiguration } from '../domain/schemas/config.ts';

/** Where the ledger is, of a configuration that names one of the two places. */
export function ledgerPlace({ url, directory }: LedgerConfiguration): LedgerPlace {
  if (url !== undefined) return { url };
  if (directory !== undefined) return { directory };
  throw new Error('the configuration names no place for the ledger');
}
