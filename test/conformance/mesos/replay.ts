/** Compares answers of the embedded Mesos with records of a real one, and knows which known differences it met. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparable, type Difference, differences } from './comparable.ts';
import { KNOWN_DIFFERENCES, type KnownDifference } from './known-differences.ts';

export function record<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, `${name}-1.11.0.json`), 'utf8'));
}

export class Comparison {
  readonly #met = new Set<KnownDifference>();
  readonly #record: string;

  /** @param name of the record, for the known differences */
  constructor(name: string) {
    this.#record = name;
  }

  /** What differs and is not known to. */
  unknown(recorded: unknown, ours: unknown): Difference[] {
    return differences(comparable(recorded), comparable(ours)).filter(({ path }) => {
      const known = this.#concerning.filter((each) => each.path.test(path));
      for (const each of known) this.#met.add(each);
      return known.length === 0;
    });
  }

  /** Known differences of this record that were not met. */
  get idle(): string[] {
    return this.#concerning.filter((each) => !this.#met.has(each)).map(({ path }) => path.source);
  }

  get #concerning(): KnownDifference[] {
    return KNOWN_DIFFERENCES.filter((known) => known.record.test(this.#record));
  }
}
