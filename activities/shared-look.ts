/**
 * A look at a whole system that many share: whoever asks within a moment of another gets the same answer. Lanes look
 * for hand-made changes all the time, each at its own service; the systems tell of all services in one answer.
 */
export class SharedLook<T> {
  readonly #look: () => Promise<T>;
  readonly #maxAgeMs: number;
  #last: { readonly at: number; readonly answer: Promise<T> } | undefined;

  /** @param maxAgeMs how old an answer may be; one that is still under way is young */
  constructor(look: () => Promise<T>, maxAgeMs: number) {
    this.#look = look;
    this.#maxAgeMs = maxAgeMs;
  }

  /** @param fresh asks anew, whatever is known. A look that fails is nobody's answer but of those who wait for it. */
  get(fresh: boolean): Promise<T> {
    const now = performance.now();
    if (!fresh && this.#last !== undefined && now - this.#last.at <= this.#maxAgeMs) return this.#last.answer;
    const answer = this.#look();
    const look = { at: now, answer };
    this.#last = look;
    answer.catch(() => {
      if (this.#last === look) this.#last = undefined;
    });
    return answer;
  }
}
