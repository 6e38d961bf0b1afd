/** Copies what a container writes into its sandbox. */
import { createWriteStream, statSync, type WriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { CellLog } from './log.ts';

/** After the end of a container the engine closes its log at once; this is only for an engine that does not. */
const LAST_OUTPUT_MS = 5_000;
/** An engine that has ended a log is asked again after so long. */
const RETRY_MS = 500;
/** What an engine answers when its logging driver does not support reading. */
const NOT_IMPLEMENTED = 501;

export interface LogCopy {
  /** Resolves when everything written before the container's end is in the sandbox. Never rejects. */
  finished(): Promise<void>;
}

/**
 * Follows the engine's log from its beginning into `stdout` and `stderr` of the directory. What is in the files
 * already is passed over, so copying again after the agent's death neither loses nor doubles anything.
 */
export function copyLogs(container: Docker.Container, directory: string, log: CellLog): LogCopy {
  const over = Promise.withResolvers<void>();
  let isOver = false;
  const copy = (async () => {
    for (let failed = false; ; ) {
      const broke = await follow(container, directory).then(
        () => false,
        (error: unknown) => {
          if (!failed) log.warn(`log of container ${container.id}`, error);
          if (isUnreadable(error)) isOver = true;
          return true;
        },
      );
      if (isOver) return;
      failed = broke;
      // It ended and the container did not, as far as is known: the engine may have been stopped under it.
      await Promise.race([over.promise, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
      if (isOver && !broke) return;
    }
  })();
  return {
    finished: async () => {
      isOver = true;
      over.resolve();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          log.warn(`log of container ${container.id}`, new Error(`not closed ${LAST_OUTPUT_MS} ms after its end`));
          resolve();
        }, LAST_OUTPUT_MS);
      });
      await Promise.race([copy, late]);
      clearTimeout(timer);
    },
  };
}

/** The engine keeps no log that can be read, as with the logging driver `none`: it never will. */
function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === NOT_IMPLEMENTED;
}

async function follow(container: Docker.Container, directory: string): Promise<void> {
  const out = appendAfter(`${directory}/stdout`);
  const err = appendAfter(`${directory}/stderr`);
  try {
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    container.modem.demuxStream(stream, out.input, err.input);
    await finished(stream);
  } finally {
    // Both have ended before one of them may fail: what could be written is written.
    const [outEnd, errEnd] = [out.close(), err.close()];
    await Promise.allSettled([outEnd, errEnd]);
    await Promise.all([outEnd, errEnd]);
  }
}

/** Appends to a file all but the first bytes, as many as the file has already. */
function appendAfter(path: string): { readonly input: Writable; close(): Promise<void> } {
  let skip = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const file: WriteStream = createWriteStream(path, { flags: 'a' });
  const input = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      if (rest.length === 0) done();
      else file.write(rest, done);
    },
  });
  // Listened to from the beginning: an error that nobody hears would end the whole cell.
  const ends = Promise.allSettled([finished(input), finished(file)]);
  return {
    input,
    close: async () => {
      input.end(() => file.end());
      for (const end of await ends) if (end.status === 'rejected') throw end.reason;
    },
  };
}
