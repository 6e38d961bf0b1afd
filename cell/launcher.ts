/** Starts a cell as a process that outlives its launcher, finds it again, and ends it with everything it left. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { wholeCellSchema } from './cell.ts';
import { CellDirectory, type KeptOptions, type RunningCell } from './directory.ts';
import { removeLeftovers } from './mesos/leftovers.ts';
import { isAlive, signalProcess } from './mesos/processes.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
/** V8 would rather grow than collect: with its own limits a cell takes twice the memory for a thousand apps. */
const FRUGAL = ['--max-semi-space-size=4', '--max-old-space-size=768'];
const POLL_MS = 50;
/** From its start until everything answers; a cell that takes up many containers asks the engine for each. */
const UP_WITHIN_MS = 60_000;
/** From SIGTERM until it has ended: the grace of its tasks, and the patience of agents with a dead engine. */
const DOWN_WITHIN_MS = 60_000;

/** A cell runs already, with other options than these. */
export class OtherCell extends Error {}

export interface Launched {
  readonly running: RunningCell;
  /** It ran before. */
  readonly already: boolean;
}

/**
 * Brings the cell of a directory up, and returns when it answers. One that runs with the same options is left alone;
 * one that was killed is started on what it left, its running tasks are taken up.
 *
 * @param options undefined: those of the last time
 * @throws {OtherCell} when one with other options runs
 * @throws when it does not come up, with the end of its log; it does not run then
 */
export async function up(path: string, options: KeptOptions | undefined): Promise<Launched> {
  const directory = new CellDirectory(path);
  const known = directory.options();
  const wanted = options === undefined ? known : wholeCellSchema.omit({ stateDir: true }).parse(options);
  if (wanted === undefined) throw new Error(`there is no cell in ${directory.path}`);
  const process = directory.process();
  if (process !== undefined) {
    if (!isDeepStrictEqual(wanted, known)) {
      throw new OtherCell(`the cell in ${directory.path} runs with other options, as pid ${process.pid}`);
    }
    const running = await waitFor(UP_WITHIN_MS, () => directory.running());
    if (running === undefined)
      throw new Error(`the cell with pid ${process.pid} does not come up; see ${directory.logFile}`);
    return { running, already: true };
  }
  directory.writeOptions(wanted);
  directory.removeRunning();
  const log = openSync(directory.logFile, 'a');
  const child = spawn(execPath, [...FRUGAL, MAIN, directory.path], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: withoutNodeOptions(env),
  });
  closeSync(log);
  let ending: string | undefined;
  child.once('error', (error) => {
    ending = error.message;
  });
  child.once('exit', (code, signal) => {
    ending = signal === null ? `ended with code ${code}` : `died of ${signal}`;
  });
  const started = await waitFor(
    UP_WITHIN_MS,
    () => directory.running() ?? (ending === undefined ? undefined : 'ended'),
  );
  if (started === undefined || started === 'ended') {
    child.kill('SIGKILL');
    const why = ending ?? `did not answer within ${UP_WITHIN_MS / 1000} s`;
    throw new Error(`the cell ${why}; ${directory.logFile} ends with:\n${lastLines(directory.logFile)}`);
  }
  child.unref();
  return { running: started, already: false };
}

export interface DownOptions {
  /** Keeps apps and records, so that the next `up` starts what was there. */
  readonly keep: boolean;
}

/** What `down` found: a cell that ran, one that had been killed or was down already, or none at all. */
export type Found = 'running' | 'down' | 'none';

/**
 * Ends the cell of a directory: its tasks, its process, whatever a killed one left of either, and its state. Done
 * again, it finds nothing to do.
 * @throws when something can't be ended, for instance because the engine is gone; the state stays then, so that it can
 * be done again
 */
export async function down(path: string, { keep }: DownOptions): Promise<Found> {
  const directory = new CellDirectory(path);
  const options = directory.options();
  if (options === undefined) return 'none';
  const process = directory.process();
  if (process !== undefined) {
    signalProcess(process.pid, 'SIGTERM');
    const isGone = () => !isAlive(process) || undefined;
    if (!(await waitFor(DOWN_WITHIN_MS, isGone))) signalProcess(process.pid, 'SIGKILL');
    await waitFor(DOWN_WITHIN_MS, isGone);
  }
  await removeLeftovers(directory.agents, options.mesos);
  if (keep) directory.removeRunning();
  else directory.remove();
  return process === undefined ? 'down' : 'running';
}

async function waitFor<T>(withinMs: number, look: () => T | undefined): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined || performance.now() > deadline) return seen;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What is meant for this process (a test runner's loader, an inspector's port) is not meant for the cell. */
function withoutNodeOptions({ NODE_OPTIONS: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
