/** Which agents are out of their master's reach, and why. */

/** Cut off by an order, or because its Docker engine does not answer. */
export type Cause = 'partition' | 'engine';

/** An agent may be cut off for several causes at once; it is back when none is left. */
export class Separations<A> {
  readonly #causes = new Map<A, ReadonlySet<Cause>>();

  has(agent: A): boolean {
    return this.#causes.has(agent);
  }

  add(agent: A, cause: Cause): void {
    this.#causes.set(agent, new Set([...(this.#causes.get(agent) ?? []), cause]));
  }

  /** @returns whether it is back */
  end(agent: A, cause: Cause): boolean {
    const left = [...(this.#causes.get(agent) ?? [])].filter((other) => other !== cause);
    if (left.length === 0) this.#causes.delete(agent);
    else this.#causes.set(agent, new Set(left));
    return left.length === 0;
  }
}
