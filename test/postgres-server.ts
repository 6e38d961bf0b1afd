import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../local/platform/ports.ts';
import { Supervisor, Wave } from '../local/platform/supervisor.ts';
import { findExecutables } from '../local/toolbox/part.ts';
import { postgresql } from '../local/toolbox/parts/postgresql.ts';
import { runCommand } from '../local/toolbox/run-command.ts';

/** A PostgreSQL server of a test's own. */
export interface PostgresServer {
  /** A new, empty database on it. @returns its URL */
  createDatabase(): Promise<string>;
  /** Takes the server away, or brings it back with its data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes what it kept. */
  remove(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'slipway';
/** PostgreSQL refuses to be root, so then it is the user whom Debian calls nobody. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Path of the server's program; undefined where `make setup` could not bring it. */
export async function postgresProgram(): Promise<string | undefined> {
  const [found] = await findExecutables(postgresql.commands, process.env['PATH'], postgresql.directories);
  return found;
}

/** Starts a server on loopback, in a temporary directory. @param program what `postgresProgram` found */
export async function startPostgres(program: string): Promise<PostgresServer> {
  const root = mkdtempSync(join(tmpdir(), 'slipway-postgres-'));
  chmodSync(root, 0o711);
  const supervisor = await Supervisor.open({ dir: root, log: () => {} });
  const data = join(supervisor.directories.data, 'postgres');
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) chownSync(data, NOBODY, NOBODY);
  const initdb = join(dirname(program), 'initdb');
  const made = asNobody(initdb, ['--pgdata', data, '--username', USER, '--auth', 'trust', '--no-sync']);
  await runCommand(made.command, made.args, { timeoutMs: 180_000 });
  const port = await freePort();
  const url = (database: string) => `postgres://${USER}@${HOST}:${port}/${database}`;
  const server = supervisor.add(Wave.systems, {
    name: 'postgres',
    ...asNobody(program, [
      ...['-D', data, '-h', HOST, '-p', String(port), '-k', ''],
      ...['-c', 'fsync=off', '-c', 'shared_buffers=16MB', '-c', 'log_min_messages=warning'],
    ]),
    ready: async () => {
      await ask(url('postgres'), 'select 1');
    },
    readyWithinMs: 120_000,
    stopWithinMs: 30_000,
  });
  const stop = async (): Promise<void> => {
    // SIGTERM would wait for its clients to leave; this tells them to.
    if (server.pid !== undefined) process.kill(server.pid, 'SIGINT');
    await server.stop();
  };
  let databases = 0;
  await server.start();
  return {
    createDatabase: async () => {
      databases += 1;
      await ask(url('postgres'), `create database ledger_${databases}`);
      return url(`ledger_${databases}`);
    },
    stop,
    start: () => server.start(),
    remove: async () => {
      await stop();
      await supervisor.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The command line by which a program runs as somebody that PostgreSQL accepts. */
function asNobody(program: string, args: readonly string[]): { command: string; args: readonly string[] } {
  if (!isRoot) return { command: program, args };
  const id = String(NOBODY);
  return { command: 'setpriv', args: ['--reuid', id, '--regid', id, '--clear-groups', program, ...args] };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 15_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
