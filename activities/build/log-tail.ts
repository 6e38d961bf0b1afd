/** The end of a log, small enough to travel in a failure. */

const MAX_LINES = 100;
const MAX_BYTES = 16 * 1024;

/** Keeps the last 100 lines, at most 16 KiB of them, of a stream of text. */
export class LogTail {
  #kept = Buffer.alloc(0);

  add(chunk: Buffer | string): void {
    const joined = Buffer.concat([this.#kept, Buffer.from(chunk)]);
    // Twice the bytes are kept, so that a line that is cut at the front can be dropped whole.
    this.#kept = joined.length > 2 * MAX_BYTES ? joined.subarray(-2 * MAX_BYTES) : joined;
  }

  text(): string {
    return tailOf(this.#kept);
  }
}

/** The last 100 lines of a text, at most 16 KiB of them; a longer line is cut at its front. */
export function tailOf(log: Buffer | string): string {
  const lines = Buffer.from(log)
    .toString('utf8')
    .replace(/\s+$/, '')
    .split(/\r\n|\n|\r/);
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.slice(-MAX_LINES).reverse()) {
    const size = Buffer.byteLength(line) + 1;
    if (bytes + size > MAX_BYTES) {
      if (kept.length === 0) kept.push(endOf(line));
      break;
    }
    kept.push(line);
    bytes += size;
  }
  return kept.reverse().join('\n');
}

/** The end of a line that alone is too long, whole characters only. */
function endOf(line: string): string {
  const bytes = Buffer.from(line).subarray(-(MAX_BYTES - 8));
  return `...${bytes.toString('utf8').replace(/^\uFFFD+/, '')}`;
}
