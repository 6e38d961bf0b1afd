import { setTimeout as delay } from 'node:timers/promises';

/** A wait that can be cut short. A call that comes while nobody waits cuts the next wait short. */
export class Wakeup {
  #called = false;
  #interrupt: (() => void) | undefined;

  /** Ends the wait. */
  call(): void {
    this.#called = true;
    this.#interrupt?.();
  }

  /** Forgets calls that came before now. */
  reset(): void {
    this.#called = false;
  }

  /** Waits for a call, at most so long. */
  async wait(ms: number): Promise<void> {
    if (this.#called) return;
    const controller = new AbortController();
    this.#interrupt = () => controller.abort();
    try {
      await delay(ms, undefined, { signal: controller.signal });
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    } finally {
      this.#interrupt = undefined;
    }
  }
}
