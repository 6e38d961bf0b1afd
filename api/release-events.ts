import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '../domain/digest.ts';
import type { ReleaseView } from '../domain/release.ts';
import type { ProblemDocument } from '../domain/schemas/api.ts';

/** How often a running release is looked at. A query leaves no event in its history. */
const LOOK_MS = 1_000;
/** Proxies close a connection on which nothing is said for about a minute. */
const HEARTBEAT_MS = 15_000;
/** How soon a client that lost the stream comes back, as the stream tells it. */
const RETRY_MS = 2_000;

export interface EventSource {
  readonly look: () => Promise<ReleaseView>;
  /** What to tell when a look fails. The stream goes on: a worker may be restarting. */
  readonly problem: (error: unknown) => ProblemDocument;
  /** Number of the last event that the client has seen; 0 for none. */
  readonly lastEventId: number;
  readonly signal: AbortSignal;
}

/**
 * The life of a release as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 * `release` with the whole state, at once and whenever it has changed; `problem` when it can't be read for now;
 * `end` with the last state. Numbers go on from `lastEventId`; since each event holds everything, nothing is replayed.
 */
export async function* releaseEvents({ look, problem, lastEventId, signal }: EventSource): AsyncGenerator<string> {
  let id = lastEventId;
  let shown = '';
  let spokenAt = performance.now();
  const event = (name: string, data: unknown) => {
    id += 1;
    spokenAt = performance.now();
    return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  };
  yield `retry: ${RETRY_MS}\n\n`;
  while (!signal.aborted) {
    const seen = await look().then(
      (view) => ({ view }),
      (error: unknown) => ({ problem: problem(error) }),
    );
    if ('view' in seen && seen.view.outcome !== undefined) {
      yield event('end', seen.view);
      return;
    }
    const state = canonicalJson('view' in seen ? seen.view : { code: seen.problem.code, detail: seen.problem.detail });
    if (state !== shown) {
      shown = state;
      yield 'view' in seen ? event('release', seen.view) : event('problem', seen.problem);
    } else if (performance.now() - spokenAt >= HEARTBEAT_MS) {
      spokenAt = performance.now();
      yield ': still here\n\n';
    }
    await pause(LOOK_MS, signal);
  }
}

/** Ends early, without an error, when nobody listens any more. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
