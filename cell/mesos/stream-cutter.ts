/** Cuts a stream where it has no seams, as networks and proxies do. */
import { chance } from '../faults/rule.ts';

/** Chunks are at most so long, and most of them far shorter. */
const LONGEST_CHUNK = 512;

/** The same seed and the same records make the same cuts. */
export class StreamCutter {
  readonly #seed: number;
  #cuts = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The chunks that go out now. At least the last byte is held back, to go out with what comes next. */
  add(record: Buffer): Buffer[] {
    const bytes = Buffer.concat([this.#held, record]);
    const chunks: Buffer[] = [];
    let at = 0;
    for (;;) {
      const end = at + 1 + Math.floor(LONGEST_CHUNK * chance(this.#seed, 0, this.#cuts++) ** 3);
      if (end >= bytes.length) break;
      chunks.push(bytes.subarray(at, end));
      at = end;
    }
    this.#held = bytes.subarray(at);
    return chunks;
  }

  /** What was held back, and now is not. */
  rest(): Buffer {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }
}
