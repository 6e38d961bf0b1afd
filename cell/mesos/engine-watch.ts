/** Tells when the Docker engine is gone and when it is back. */
import Docker from 'dockerode';
import type { CellLog } from './log.ts';
import type { CellSettings } from './options.ts';

export interface EngineWatchOptions {
  /** Resolves when the engine has answered; rejects when it did not, at the latest after `withinMs`. */
  readonly ping: (withinMs: number) => Promise<unknown>;
  /** The engine is gone once it was asked in vain for so long. */
  readonly deadlineMs: number;
  readonly lost: () => void;
  /** Called, and awaited, before anything else is asked of it. */
  readonly back: () => Promise<void>;
  readonly log: CellLog;
}

/** So many pings go unanswered before the deadline: one that is slow for a moment is not gone. */
const PINGS = 5;

/**
 * Pings the engine all the time. A refused connection and silence count alike: an engine that is restarted within the
 * deadline was never gone, and one that accepts and never answers is. While this process itself stands still nobody is
 * asked: that time does not count.
 */
export class EngineWatch {
  readonly #options: EngineWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  /** When it was first asked in vain since it last answered. */
  #silentSince: number | undefined;
  #isLost = false;
  #stopped = false;

  constructor(options: EngineWatchOptions) {
    this.#options = options;
  }

  /** Asks for the first time, and goes on asking. @returns whether it answered; if not, it counts as lost already */
  async start(): Promise<boolean> {
    const answered = await this.#ping(this.#options.deadlineMs);
    this.#isLost = !answered;
    this.#askAgain();
    return answered;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  get #everyMs(): number {
    return this.#options.deadlineMs / PINGS;
  }

  #askAgain(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#look().then(
        () => this.#askAgain(),
        (error: unknown) => {
          this.#options.log.warn('after the engine came back', error);
          this.#askAgain();
        },
      );
    }, this.#everyMs);
  }

  async #look(): Promise<void> {
    const answered = await this.#ping(this.#everyMs);
    if (this.#stopped) return;
    const { deadlineMs, lost, back, log } = this.#options;
    if (answered && this.#isLost) {
      log.info('the Docker engine answers again');
      await back();
      this.#isLost = false;
    }
    if (this.#isLost || this.#silentSince === undefined || performance.now() - this.#silentSince < deadlineMs) return;
    this.#isLost = true;
    log.info(`the Docker engine has not answered for ${deadlineMs} ms`);
    lost();
  }

  async #ping(withinMs: number): Promise<boolean> {
    const askedAt = performance.now();
    const answered = await this.#options.ping(withinMs).then(
      () => true,
      () => false,
    );
    this.#silentSince = answered ? undefined : (this.#silentSince ?? askedAt);
    return answered;
  }
}

/** Watches the engine of a cell. One without an engine has nothing to watch, and misses nothing. */
export function watchEngine(
  { docker, runTasks, engineTimeoutMs: deadlineMs }: CellSettings,
  told: Pick<EngineWatchOptions, 'lost' | 'back' | 'log'>,
): Pick<EngineWatch, 'start' | 'stop' | 'isLost'> {
  if (docker === undefined || !runTasks) {
    return { start: () => Promise.resolve(true), stop: () => undefined, isLost: false };
  }
  const { socketPath } = docker;
  const ping = (timeout: number) => new Docker({ socketPath, timeout }).ping();
  return new EngineWatch({ ping, deadlineMs, ...told });
}
