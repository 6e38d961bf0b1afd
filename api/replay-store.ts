/**
 * Remembers the ids of messages for a while, so that one that was recorded on the way can't be sent again. It lives
 * in the process: with several API processes, or after a restart, what keeps a command from counting twice is that
 * its id is also the id of the Temporal update.
 */
export class ReplayStore {
  private readonly seen = new Map<string, number>();
  private readonly keepSeconds: number;

  /** @param keepSeconds at least twice the tolerance of timestamps: a stamp may lie ahead of us by one of them. */
  constructor(keepSeconds: number) {
    this.keepSeconds = keepSeconds;
  }

  /** True for an id that was not claimed in the time that is kept; from now on it is. */
  claim(id: string, nowSeconds: number): boolean {
    this.forget(nowSeconds);
    if (this.seen.has(id)) return false;
    this.seen.set(id, nowSeconds);
    return true;
  }

  /** Gives an id free: its message could not be worked on, and the sender may send it again. */
  release(id: string): void {
    this.seen.delete(id);
  }

  get size(): number {
    return this.seen.size;
  }

  /** A Map keeps the order of insertion, so what is oldest comes first. */
  private forget(nowSeconds: number): void {
    for (const [id, since] of this.seen) {
      if (nowSeconds - since <= this.keepSeconds) return;
      this.seen.delete(id);
    }
  }
}
