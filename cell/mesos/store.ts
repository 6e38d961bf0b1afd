/** Records that survive a kill -9 of their writer. */
import { join } from 'node:path';
import type { z } from 'zod';
import { Journal } from '../journal.ts';

/** A directory's records, each under a name such as `tasks/<id>`. One process at a time. */
export class Store {
  readonly directory: string;
  readonly #journal: Journal;

  constructor(directory: string) {
    this.directory = directory;
    this.#journal = new Journal(join(directory, 'records.journal'));
  }

  /** The record, checked; undefined when there is none. Throws when it is not what the schema says. */
  read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const record = this.#journal.get(name);
    if (record === undefined) return undefined;
    const parsed = schema.safeParse(record);
    if (parsed.success) return parsed.data;
    throw new Error(
      `${name} in ${this.directory} is not a record of this version: ${parsed.error.message}. ` +
        'Remove the directory to start afresh',
    );
  }

  /** Safe before it returns. @param record JSON-safe, and not changed afterwards */
  write(name: string, record: object): void {
    this.#journal.put(name, record);
  }

  remove(name: string): void {
    this.#journal.remove(name);
  }

  /** Names of the records in a folder, in the order in which they were first written. */
  list(folder: string): string[] {
    return [...this.#journal.withPrefix(`${folder}/`)].map(([name]) => name);
  }

  close(): void {
    this.#journal.close();
  }
}
