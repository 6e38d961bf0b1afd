import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { migrate } from './migrations.ts';
import type { Tables } from './tables.ts';

/** Where the ledger is kept: a database of a PostgreSQL server, or a directory for the embedded one. */
export type LedgerPlace = { readonly url: string } | { readonly directory: string };

/** Longest time until the server has taken a connection, and until it has answered a statement. */
const CONNECT_MS = 4_000;
const STATEMENT_MS = 8_000;
/** Writers queue at the end of the audit anyway. */
const CONNECTIONS = 4;

/** The ledger's database. It is reached for, and its tables are made, when it is first used. */
export class Ledger {
  private readonly db: Kysely<Tables>;
  private readonly release: () => Promise<void>;
  private migrated: Promise<void> | undefined;

  constructor(db: Kysely<Tables>, release: () => Promise<void>) {
    this.db = db;
    this.release = release;
  }

  /** Does work on the tables as this version knows them. @throws what the database, or the way to it, said */
  async use<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    this.migrated ??= migrate(this.db);
    try {
      await this.migrated;
    } catch (error) {
      // The next one tries again: the server may be back by then.
      this.migrated = undefined;
      throw error;
    }
    return work(this.db);
  }

  /** Ends the connections; an embedded database is closed and free for another process. */
  async close(): Promise<void> {
    await this.db.destroy();
    await this.release();
  }
}

/**
 * The ledger at a place. Nothing is opened yet.
 *
 * @param lost told of a connection that broke while nobody used it; the next use opens another
 */
export function openLedger(place: LedgerPlace, lost: (error: Error) => void): Ledger {
  if ('directory' in place) return embeddedLedger(place.directory);
  const pool = new Pool({
    connectionString: place.url,
    application_name: 'slipway',
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
  });
  pool.on('error', lost);
  return new Ledger(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), async () => {});
}

/** PostgreSQL inside this process, on files of its own. */
function embeddedLedger(directory: string): Ledger {
  let owner: Server | undefined;
  const open = async (): Promise<PGlite> => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    owner ??= await own(directory);
    return PGlite.create(directory);
  };
  return new Ledger(new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: open }) }), async () => {
    owner?.close();
    owner = undefined;
  });
}

/**
 * Makes this process the only one on the directory: two at once would destroy it. Held by an abstract unix socket,
 * which Linux frees when the process ends, however it ends (unix(7)).
 */
function own(directory: string): Promise<Server> {
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex');
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error) =>
      reject(new Error(`another process has the ledger in ${directory} open`, { cause: error })),
    );
    server.listen(`\0slipway-ledger-${name}`, () => resolve(server));
  });
}
