/** The two kinds of ledger, each with a way to new, empty ones: what every test of the ledger's tables stands on. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { LedgerPlace } from '../../activities/ledger/client.ts';
import { type PostgresServer, postgresProgram, startPostgres } from '../postgres-server.ts';

/** Where a ledger may be kept, each with a way to a new, empty place. */
export interface LedgerKind {
  readonly name: string;
  /** Two ledgers on the same place may be open at once. */
  readonly shared: boolean;
  setUp(): Promise<void>;
  newPlace(): Promise<LedgerPlace>;
  tearDown(): Promise<void>;
}

/** The server's program; undefined where `make setup` could not bring one. */
export const program = await postgresProgram();
let server: PostgresServer | undefined;
const real: LedgerKind = {
  name: 'PostgreSQL',
  shared: true,
  setUp: async () => {
    server = await startPostgres(program ?? '');
  },
  newPlace: async () => ({ url: (await server?.createDatabase()) ?? '' }),
  tearDown: async () => server?.remove(),
};
let directory = '';
let directories = 0;
const embedded: LedgerKind = {
  name: 'PGlite',
  shared: false,
  setUp: async () => {
    directory = mkdtempSync(join(tmpdir(), 'slipway-ledger-'));
    await (await PGlite.create(join(directory, 'empty'))).close();
  },
  // An empty database as it was made once: making one takes seconds.
  newPlace: async () => {
    directories += 1;
    const place = { directory: join(directory, String(directories)) };
    cpSync(join(directory, 'empty'), place.directory, { recursive: true });
    return place;
  },
  tearDown: async () => rmSync(directory, { recursive: true, force: true }),
};

/** PGlite, and PostgreSQL where the machine has it. */
export const LEDGER_KINDS: readonly LedgerKind[] = program === undefined ? [embedded] : [embedded, real];
