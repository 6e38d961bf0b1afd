import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, signalGroup, startTimeOf } from './process-identity.ts';
import { until } from './until.ts';

/** A process to run, and how to know that it works. */
export interface ProcessSpec {
  /** Names the process, its log and its run record. */
  readonly name: string;
  /** Absolute path of the executable. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the launcher's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Throws, saying what is missing, until the process of this pid does its work. */
  readonly ready: (pid: number) => Promise<void>;
  /** Milliseconds from start to ready. */
  readonly readyWithinMs: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly stopWithinMs: number;
  /** Starts the process again this long after it ended by itself; absent: it stays down. */
  readonly restartAfterMs?: number;
  /** Takes away what an earlier run may have left in the way of this one. */
  readonly beforeStart?: () => void;
}

/** Where a supervised process writes, what its children inherit, and who hears of an end nobody asked for. */
export interface Surroundings {
  readonly logs: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  /** Throws once nothing may be started any more. */
  readonly assertOpen: () => void;
  readonly onUnexpectedEnd: (process: SupervisedProcess, ending: string) => void;
}

/** The run record of a process: enough to find and end it after its launcher died. */
export interface RunRecord extends ProcessIdentity {
  readonly name: string;
  readonly command: string;
}

interface Running {
  /** Undefined where the executable could not be started. */
  readonly pid: number | undefined;
  /** How the process ended, once it has. */
  readonly ended: Promise<string>;
  ending: string | undefined;
  /** Whether its end was asked for. */
  stopped: boolean;
}

/** One process in a process group of its own, with a log file and a run record. */
export class SupervisedProcess {
  readonly spec: ProcessSpec;
  readonly logFile: string;
  readonly #surroundings: Surroundings;
  readonly #recordFile: string;
  #running: Running | undefined;
  /** Whether it has been ready, so that an end that nobody asked for is news. */
  #atWork = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(spec: ProcessSpec, surroundings: Surroundings) {
    this.spec = spec;
    this.#surroundings = surroundings;
    this.logFile = join(surroundings.logs, `${spec.name}.log`);
    this.#recordFile = join(surroundings.run, `${spec.name}.json`);
  }

  get name(): string {
    return this.spec.name;
  }

  /** The pid, which is also the process group; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#running?.ending === undefined ? this.#running?.pid : undefined;
  }

  /**
   * Starts the process and waits until it is ready.
   * @throws {Error} with the end of its log, if it ended or was not ready in time; it is then stopped.
   */
  async start(): Promise<void> {
    if (this.pid !== undefined) {
      throw new Error(`${this.name} runs already, as pid ${this.pid}`);
    }
    this.#surroundings.assertOpen();
    this.spec.beforeStart?.();
    this.#atWork = false;
    const running = this.#spawn();
    this.#running = running;
    try {
      await until(
        `${this.name} to be ready`,
        async () => {
          // An early end is final: no further try can mend it, so it is answered outside the loop.
          if (running.pid === undefined) {
            await running.ended;
          } else if (running.ending === undefined && !running.stopped) {
            await this.spec.ready(running.pid);
          }
        },
        { withinMs: this.spec.readyWithinMs },
      );
      if (running.stopped) {
        throw new Error(`${this.name} was stopped before it was ready`);
      }
      if (running.ending !== undefined) {
        throw new Error(`${this.name} ${running.ending} before it was ready`);
      }
      this.#atWork = true;
    } catch (error) {
      await this.stop();
      throw new Error(`${(error as Error).message}; ${this.logFile} ends with:\n${this.lastLogLines()}`, {
        cause: error,
      });
    }
  }

  /** Ends the process and all of its group: SIGTERM, and SIGKILL for what is left after `stopWithinMs`. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Stops the process and starts it again with the same arguments. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends the process and all of its group at once, as a power cut would: for fault tests. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** The same, without waiting: for a launcher that is about to exit. */
  kill9Now(): void {
    if (this.#running !== undefined) {
      this.#running.stopped = true;
    }
    if (this.pid !== undefined) {
      signalGroup(this.pid, 'SIGKILL');
      rmSync(this.#recordFile, { force: true });
    }
  }

  /** The last lines of the log. */
  lastLogLines(count = 15): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  }

  #spawn(): Running {
    const log = openSync(this.logFile, 'a');
    const child = spawn(this.spec.command, [...this.spec.args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#surroundings.env, ...this.spec.env },
    });
    closeSync(log);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`did not start: ${error.message}`));
      child.once('exit', (code, signal) => resolve(signal === null ? `ended with code ${code}` : `died of ${signal}`));
    });
    const running: Running = { pid: child.pid, ended, ending: undefined, stopped: false };
    if (child.pid !== undefined) {
      this.#writeRecord(child.pid);
    }
    ended.then((ending) => this.#onEnd(running, ending));
    return running;
  }

  #writeRecord(pid: number): void {
    const startTime = startTimeOf(pid);
    if (startTime !== undefined) {
      const record: RunRecord = { name: this.name, pid, startTime, command: this.spec.command };
      writeFileSync(this.#recordFile, `${JSON.stringify(record)}\n`);
    }
  }

  /** The leader is gone: what it left in its group goes too, before its number can be given to another. */
  #onEnd(running: Running, ending: string): void {
    running.ending = ending;
    if (running.pid !== undefined) {
      signalGroup(running.pid, 'SIGKILL');
    }
    rmSync(this.#recordFile, { force: true });
    if (this.#atWork && !running.stopped) {
      this.#surroundings.onUnexpectedEnd(this, ending);
      if (this.spec.restartAfterMs !== undefined) {
        this.#restart = setTimeout(() => this.#startAgain(), this.spec.restartAfterMs);
      }
    }
  }

  #startAgain(): void {
    this.start().catch((error: unknown) =>
      this.#surroundings.onUnexpectedEnd(this, `did not restart: ${String(error)}`),
    );
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    clearTimeout(this.#restart);
    const running = this.#running;
    const pid = this.pid;
    if (running === undefined || pid === undefined) {
      return;
    }
    running.stopped = true;
    signalGroup(pid, signal);
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), this.spec.stopWithinMs);
    await running.ended;
    clearTimeout(timer);
  }
}
