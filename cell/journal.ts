import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The journal is rewritten once it has so many more lines than there are entries, or is so much longer than it was. */
const SLACK_LINES = 10_000;
const SLACK_BYTES = 16 * 1024 * 1024;

/**
 * Entries that outlive the process. Every change is one line appended to a journal, written before the call returns,
 * so a killed process loses nothing. (It is not synchronised to the disk: a power cut may lose the last changes.) At the
 * start, and when it has grown long, the journal is replaced by one that holds each entry once.
 */
export class Journal {
  readonly #path: string;
  readonly #entries = new Map<string, unknown>();
  #lines = 0;
  #bytes = 0;
  /** When it was last rewritten. */
  #compactBytes = 0;
  /** Undefined when it is closed. */
  #file: number | undefined;

  /** @param path of the file; one process at a time */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    if (existsSync(this.#path)) this.#read();
    this.#file = this.#compact();
  }

  get(key: string): unknown {
    return this.#entries.get(key);
  }

  /** All entries whose key begins so, in the order in which they were first written. */
  *withPrefix(prefix: string): Generator<readonly [key: string, value: unknown]> {
    for (const entry of this.#entries) if (entry[0].startsWith(prefix)) yield entry;
  }

  /** @param value JSON-safe */
  put(key: string, value: unknown): void {
    this.#entries.set(key, value);
    this.#append({ key, value });
  }

  remove(key: string): void {
    if (this.#entries.delete(key)) this.#append({ key });
  }

  /** Every change after it throws. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(line: { key: string; value?: unknown }): void {
    // The number of a closed file may be that of another one by now.
    if (this.#file === undefined) throw new Error(`${this.#path} is closed`);
    this.#bytes += writeSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#lines += 1;
    const isLong = this.#lines > this.#entries.size + SLACK_LINES;
    if (isLong || this.#bytes > 2 * this.#compactBytes + SLACK_BYTES) {
      closeSync(this.#file);
      this.#file = this.#compact();
    }
  }

  #read(): void {
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      if (line === '') continue;
      let entry: { key: string; value?: unknown };
      try {
        entry = JSON.parse(line);
      } catch (cause) {
        // Only the last line can be torn: the process died while writing it, before it acted on it.
        if (index >= lines.length - 1) return;
        throw new Error(`${this.#path}: line ${index + 1} is damaged; remove the file to start without state`, {
          cause,
        });
      }
      if (entry.value === undefined) this.#entries.delete(entry.key);
      else this.#entries.set(entry.key, entry.value);
    }
  }

  /** Writes each entry once to a new file and puts it in the place of the journal. */
  #compact(): number {
    const next = `${this.#path}.next`;
    const file = openSync(next, 'w');
    this.#bytes = 0;
    for (const [key, value] of this.#entries) this.#bytes += writeSync(file, `${JSON.stringify({ key, value })}\n`);
    this.#compactBytes = this.#bytes;
    fsyncSync(file);
    renameSync(next, this.#path);
    this.#lines = this.#entries.size;
    return file;
  }
}
