import type { Call } from './answer-types.ts';
import { type Contract, marathonContract } from './contract.ts';
import { type Release, unexcused } from './deviations.ts';

/** Collects what is not right about answers and events, by the types of a release. */
export class TypeCheck {
  /** Undefined where the types can't be read; then everything is right. */
  readonly #contract: Contract | undefined = marathonContract();
  readonly #releases: readonly Release[];
  readonly #breaches = new Set<string>();

  /** @param releases what one of them does against the types is right */
  constructor(...releases: readonly Release[]) {
    this.#releases = releases;
  }

  /** One line each, said once however often it was seen. */
  get breaches(): readonly string[] {
    return [...this.#breaches];
  }

  /** @param body undefined or null where there was none; anything but JSON is nobody's contract */
  answer(call: Call, contentType: string | null | undefined, body: unknown): void {
    if (body === undefined || body === null || !contentType?.startsWith('application/json')) return;
    for (const breach of this.#unexcused(this.#contract?.answer(call, body) ?? [])) {
      this.#breaches.add(`${call.method} ${call.path.split('?', 1)[0]}: ${breach}`);
    }
  }

  events(events: readonly Readonly<Record<string, unknown>>[]): void {
    for (const event of events) {
      for (const breach of this.#unexcused(this.#contract?.event(event) ?? [])) this.#breaches.add(breach);
    }
  }

  #unexcused(breaches: readonly string[]): readonly string[] {
    return this.#releases.reduce((left, release) => unexcused(left, release), breaches);
  }
}
