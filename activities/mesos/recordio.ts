/**
 * RecordIO, the framing of Mesos streams: the length of the record in decimal, a line feed, the bytes of the record,
 * nothing after. Records and HTTP chunks need not align (Mesos docs, scheduler-http-api "RecordIO response format").
 */

/** A length has at most 20 digits (uint64); more means that we are not looking at a length. */
const MAX_LENGTH_DIGITS = 20;

/** One record as bytes ready for the wire. */
export function encodeRecord(record: string | Uint8Array): Buffer {
  const body = typeof record === 'string' ? Buffer.from(record, 'utf8') : Buffer.from(record);
  return Buffer.concat([Buffer.from(`${body.length}\n`, 'latin1'), body]);
}

/**
 * Re-assembles records from chunks that may end anywhere, also inside a length or a UTF-8 character.
 * Throws on bytes that can't be a length, and on a record above `maxBytes`; it is of no use afterwards.
 */
export class RecordDecoder {
  readonly #maxBytes: number;
  /** Bytes of the record under way, at most `#wanted` of them. */
  #parts: Buffer[] = [];
  #have = 0;
  /** Length of the record under way; undefined while its length is still being read. */
  #wanted: number | undefined;
  #digits = '';

  constructor(maxBytes: number = 256 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /** True between records: a stream that ends elsewhere was cut. */
  get atBoundary(): boolean {
    return this.#wanted === undefined && this.#digits === '';
  }

  /** The records completed by this chunk, in order. */
  push(chunk: Uint8Array): Buffer[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const records: Buffer[] = [];
    let at = 0;
    for (;;) {
      if (this.#wanted === undefined) {
        const newline = bytes.indexOf(0x0a, at);
        const end = newline === -1 ? bytes.length : newline;
        this.#readDigits(bytes.toString('latin1', at, Math.min(end, at + MAX_LENGTH_DIGITS + 1)));
        if (newline === -1) return records;
        this.#wanted = this.#takeLength();
        at = newline + 1;
      }
      const part = bytes.subarray(at, at + this.#wanted - this.#have);
      this.#parts.push(part);
      this.#have += part.length;
      at += part.length;
      if (this.#have < this.#wanted) return records;
      const [only] = this.#parts;
      records.push(this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts));
      this.#parts = [];
      this.#have = 0;
      this.#wanted = undefined;
    }
  }

  #readDigits(text: string): void {
    this.#digits += text;
    if (!/^\d*$/.test(this.#digits) || this.#digits.length > MAX_LENGTH_DIGITS) {
      throw new Error(`not a RecordIO stream: expected the length of a record, read ${JSON.stringify(this.#digits)}`);
    }
  }

  #takeLength(): number {
    const length = this.#digits === '' ? Number.NaN : Number(this.#digits);
    if (!(length <= this.#maxBytes)) {
      throw new Error(
        `RecordIO record of ${JSON.stringify(this.#digits)} bytes: a number up to ${this.#maxBytes} was expected`,
      );
    }
    this.#digits = '';
    return length;
  }
}
