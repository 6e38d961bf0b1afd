/** Small JSON files that survive a kill -9 of their writer. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { codeOf } from '../../activities/mesos/thrown.ts';

/**
 * A directory of records. Writes are synchronous and atomic (a new file renamed over the old one), so a record is
 * either as before or as after. They are not flushed to the disk: they survive the end of the process, not of the
 * machine, and nothing of a cell survives that.
 */
export class Store {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** The record, checked; undefined when there is none. Throws when it is not what the schema says. */
  read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const path = this.#path(name);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new Error(
      `${path} is not a record of this version: ${parsed.error.message}. Remove its directory to start afresh`,
    );
  }

  write(name: string, record: unknown): void {
    const path = this.#path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(record));
    renameSync(`${path}.new`, path);
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  /** Names of the records in a folder, in no order; empty when there is no such folder. */
  list(folder: string): string[] {
    mkdirSync(join(this.directory, folder), { recursive: true });
    return readdirSync(join(this.directory, folder))
      .filter((file) => file.endsWith('.json'))
      .map((file) => `${folder}/${file.slice(0, -'.json'.length)}`);
  }

  #path(name: string): string {
    return join(this.directory, `${name}.json`);
  }
}
