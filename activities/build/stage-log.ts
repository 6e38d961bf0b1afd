import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { LogTail } from './log-tail.ts';

/** The log of one stage: whole in the sandbox, its end at hand for a failure. */
export class StageLog {
  readonly #file: WriteStream;
  readonly #tail = new LogTail();
  #broken: Error | undefined;

  private constructor(file: WriteStream) {
    this.#file = file;
    file.on('error', (error) => {
      this.#broken = error;
    });
  }

  /** Begins `<sandbox>/logs/<stage>.log` anew. */
  static async open(sandbox: string, stage: string): Promise<StageLog> {
    const directory = join(sandbox, 'logs');
    await mkdir(directory, { recursive: true });
    return new StageLog(createWriteStream(join(directory, `${stage}.log`)));
  }

  write(chunk: Buffer | string): void {
    this.#tail.add(chunk);
    if (this.#broken === undefined) this.#file.write(chunk);
  }

  /** The last 100 lines, at most 16 KiB. */
  tail(): string {
    return this.#tail.text();
  }

  /** Resolves when all is written; rejects when it could not be. */
  async close(): Promise<void> {
    if (this.#broken === undefined) {
      this.#file.end();
      await finished(this.#file);
    }
    if (this.#broken !== undefined) throw this.#broken;
  }
}
