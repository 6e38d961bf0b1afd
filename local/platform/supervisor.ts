import { mkdirSync, rmSync } from 'node:fs';
import { type Directories, directoriesOf } from './directories.ts';
import { clearLeftovers, PLATFORM_VARIABLE } from './leftovers.ts';
import { acquireLock, type Lock } from './lock.ts';
import { unmountBelow } from './mounts.ts';
import { type ProcessSpec, SupervisedProcess } from './process.ts';

export interface SupervisorOptions {
  /** Where logs, data and run records go. */
  readonly dir: string;
  readonly log: (line: string) => void;
}

/** Something that ends with the launcher. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Who needs whom when the platform stops: higher waves stop first, so that nobody is left without what it talks to;
 * those of one wave stop side by side.
 */
export const Wave = { engine: 0, containers: 1, systems: 2, cell: 3, slipway: 4 } as const;

export type Wave = (typeof Wave)[keyof typeof Wave];

const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * The processes of one directory, and the promise that they end with the launcher: on `stop()`, on a signal (a second
 * one ends them at once), on exit. Leftovers of a launcher that was killed are cleared when the next one opens.
 */
export class Supervisor {
  readonly directories: Directories;
  readonly log: (line: string) => void;
  readonly #lock: Lock;
  readonly #processes: SupervisedProcess[] = [];
  readonly #waves = new Map<Wave, Stoppable[]>();
  #stopping: Promise<void> | undefined;

  private constructor(directories: Directories, lock: Lock, log: (line: string) => void) {
    this.directories = directories;
    this.#lock = lock;
    this.log = log;
    process.on('exit', this.#killAllNow);
    for (const signal of Object.keys(ENDING_SIGNALS)) {
      process.on(signal, this.#onSignal);
    }
  }

  /**
   * Takes the directory's lock and clears what a killed launcher left in it.
   * @throws {SetupError} if another launcher works on the directory.
   */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    const directories = directoriesOf(options.dir);
    const lock = await acquireLock(directories.root);
    const cleared = await clear(directories);
    if (cleared.length > 0) {
      options.log(`cleared what a killed launcher left: ${cleared.join(', ')}`);
    }
    rmSync(directories.logs, { recursive: true, force: true });
    mkdirSync(directories.logs);
    return new Supervisor(directories, lock, options.log);
  }

  /** A process of this directory; not started yet. */
  add(wave: Wave, spec: ProcessSpec): SupervisedProcess {
    const supervised = new SupervisedProcess(spec, {
      logs: this.directories.logs,
      run: this.directories.run,
      env: { [PLATFORM_VARIABLE]: this.directories.root },
      assertOpen: () => {
        if (this.#stopping !== undefined) {
          throw new Error(`${spec.name} is not started: everything is being stopped`);
        }
      },
      onUnexpectedEnd: (ended, ending) => this.log(`${ended.name} ${ending}; its log is ${ended.logFile}`),
    });
    this.#processes.push(supervised);
    this.stopInWave(wave, supervised);
    return supervised;
  }

  /** The process of this name. @throws {Error} that names those there are. */
  process(name: string): SupervisedProcess {
    const found = this.#processes.find((supervised) => supervised.name === name);
    if (found === undefined) {
      throw new Error(`no process ${name}: there are ${this.#processes.map((one) => one.name).join(', ')}`);
    }
    return found;
  }

  /** Has something stopped with the processes of a wave. */
  stopInWave(wave: Wave, stoppable: Stoppable): void {
    this.#waves.set(wave, [...(this.#waves.get(wave) ?? []), stoppable]);
  }

  /** Stops everything, wave by wave, and gives the directory back. Asking twice is asking once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const wave of [...this.#waves.keys()].toSorted((a, b) => b - a)) {
      const results = await Promise.allSettled((this.#waves.get(wave) ?? []).map((stoppable) => stoppable.stop()));
      failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    await clear(this.directories);
    process.off('exit', this.#killAllNow);
    for (const signal of Object.keys(ENDING_SIGNALS)) {
      process.off(signal, this.#onSignal);
    }
    await this.#lock.release();
    if (failures.length > 0) {
      throw new AggregateError(failures, `not all stopped well: ${failures.map(String).join('; ')}`);
    }
  }

  readonly #killAllNow = (): void => {
    for (const supervised of this.#processes) {
      supervised.kill9Now();
    }
  };

  /** The first signal stops in order; one that comes meanwhile ends the launcher, and so everything, at once. */
  readonly #onSignal = (signal: keyof typeof ENDING_SIGNALS): void => {
    const exitCode = 128 + ENDING_SIGNALS[signal];
    if (this.#stopping !== undefined) {
      process.exit(exitCode);
    }
    this.log(`${signal}: stopping`);
    this.stop().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        this.log(`stopping failed: ${String(error)}`);
        process.exit(1);
      },
    );
  };
}

/** Leaves no process of the directory alive and nothing mounted in it; returns how the processes were named. */
async function clear(directories: Directories): Promise<readonly string[]> {
  const cleared = await clearLeftovers(directories);
  await unmountBelow(directories.root);
  await unmountBelow(directories.sockets);
  return cleared;
}
