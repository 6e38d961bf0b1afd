import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { ReleaseView } from '../domain/release.ts';
import { problemSchema } from '../domain/schemas/api.ts';
import { releaseSchema } from '../domain/schemas/release.ts';
import { type ApiClient, ApiRefusal, ApiUnreachable } from './api-client.ts';

/** Three heartbeats of the API without a word: the connection is dead, whatever the system says. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export type Sight =
  | { readonly kind: 'release' | 'end'; readonly view: ReleaseView }
  /** The release can't be seen for now; it is tried again. */
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * Follows a release to its end over server-sent events, through lost connections and an API that restarts.
 * Throws `ApiRefusal` when the API says that it never will (no such release, no valid token), and the signal's reason.
 */
export async function* followRelease(api: ApiClient, path: string, signal: AbortSignal): AsyncGenerator<Sight> {
  let lastEventId = '';
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    signal.throwIfAborted();
    let reason = 'the stream ended early';
    try {
      for await (const event of events(api, path, lastEventId, signal)) {
        lastEventId = event.id ?? lastEventId;
        const sight = sightOf(event);
        if (sight === undefined) continue;
        pause = FIRST_PAUSE_MS;
        yield sight;
        if (sight.kind === 'end') return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiRefusal && error.problem.status < 500) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    yield { kind: 'lost', reason };
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

async function* events(
  api: ApiClient,
  path: string,
  lastEventId: string,
  signal: AbortSignal,
): AsyncGenerator<EventSourceMessage> {
  const silence = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  };
  heard();
  try {
    const headers = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
    const response = await api.open(
      `${path}/events`,
      { signal: AbortSignal.any([signal, silence.signal]) },
      undefined,
      headers,
    );
    const received: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => received.push(event) });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      heard();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* received.splice(0);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for an event that this version does not know. */
function sightOf({ event, data }: EventSourceMessage): Sight | undefined {
  if (event === 'release' || event === 'end') {
    const view = releaseSchema.safeParse(JSON.parse(data));
    if (!view.success) {
      throw new ApiUnreachable('', 'sends releases in a form this version does not know', { cause: view.error });
    }
    return { kind: event, view: view.data };
  }
  if (event !== 'problem') return undefined;
  const problem = problemSchema.safeParse(JSON.parse(data));
  return { kind: 'lost', reason: problem.success ? problem.data.detail : data };
}
