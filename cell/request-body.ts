import type { IncomingMessage } from 'node:http';

/** The client went away before its body was whole: nobody waits for an answer. */
export class BrokenBody extends Error {}

/**
 * The body of a request; undefined when it is larger than `maxBytes`. The rest of one that is too large is read and
 * thrown away, so that the client, which only listens once it has sent everything, gets to see the answer.
 *
 * @throws BrokenBody when it ends too early
 */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      resolve(undefined);
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks)));
    incoming.on('error', () => reject(new BrokenBody('the body ended too early')));
  });
}

/** More levels of lists and objects than any real body has, and far less than what a reader of JSON dies of. */
export const MAX_JSON_DEPTH = 1000;

/** Whether lists and objects of a JSON text stand in each other more than `levels` deep. Looks at signs only. */
export function nestsDeeper(text: string, levels: number): boolean {
  // So many closing signs it needs at least.
  if (text.length <= 2 * levels) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index];
    if (inString) {
      if (sign === '\\') index += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === '[' || sign === '{') {
      depth += 1;
      if (depth > levels) return true;
    } else if (sign === ']' || sign === '}') depth -= 1;
  }
  return false;
}
