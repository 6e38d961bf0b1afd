/** Many listeners on the event stream, while changes come faster than any real cluster makes them. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { until } from '../../test/integration/mesos-until.ts';
import { type LoadedCell, orderedId } from './loaded-cell.ts';

/** A change that changes nothing is told by three: the post, the group's success, the deployment's success. */
const EVENTS_PER_CHANGE = 3;
/** Ordered above the rate that is asked for: the bar is on what arrives. */
const MARGIN = 1.1;
const ARRIVED_WITHIN_MS = 60_000;

const changed = z.object({ deploymentId: z.string() });

export interface StreamsResult {
  /** Events a second that each listener got at least. */
  readonly rate: number;
  /** What each listener got at least. */
  readonly events: number;
  /** Changes that were answered and that a listener was not told of, summed over all listeners. */
  readonly missed: number;
}

interface Listener {
  events: number;
  /** Ids of deployments whose success it was told. */
  readonly told: Set<string>;
  close(): void;
}

export async function eventStreams(
  cell: LoadedCell,
  { listeners: count, rate, seconds }: { listeners: number; rate: number; seconds: number },
): Promise<StreamsResult> {
  const listeners = await Promise.all(Array.from({ length: count }, () => listen(cell.url)));
  try {
    const perSecond = (rate * MARGIN) / EVENTS_PER_CHANGE;
    const changes: Promise<string>[] = [];
    const started = performance.now();
    while (changes.length < perSecond * seconds) {
      const change = changeNothing(cell, changes.length);
      // Heard of below, by `Promise.all`; unheard till then it would end this process and leave the cell.
      change.catch(() => undefined);
      changes.push(change);
      await pause(Math.max(0, started + (changes.length / perSecond) * 1000 - performance.now()));
    }
    const ids = await Promise.all(changes);
    const missing = () =>
      listeners.reduce((sum, { told }) => sum + ids.reduce((lacking, id) => lacking + (told.has(id) ? 0 : 1), 0), 0);
    const deadline = performance.now() + ARRIVED_WITHIN_MS;
    await until('what was told has arrived', ARRIVED_WITHIN_MS, async () => {
      return missing() === 0 || performance.now() > deadline - 1000;
    });
    const elapsed = (performance.now() - started) / 1000;
    const events = Math.min(...listeners.map((listener) => listener.events));
    return { rate: Math.round(events / elapsed), events, missed: missing() };
  } finally {
    for (const listener of listeners) listener.close();
  }
}

async function listen(url: string): Promise<Listener> {
  const controller = new AbortController();
  const answer = await fetch(`${url}/v2/events`, {
    headers: { Accept: 'text/event-stream' },
    signal: controller.signal,
  });
  if (answer.body === null) throw new Error(`GET ${url}/v2/events: answered ${answer.status} without a body`);
  const listener: Listener = { events: 0, told: new Set(), close: () => controller.abort() };
  // A stream that breaks shows in what its listener missed.
  void read(answer.body, listener).catch((error: unknown) => {
    if (!controller.signal.aborted) console.error(`GET ${url}/v2/events broke:`, error);
  });
  return listener;
}

async function read(body: ReadableStream<Uint8Array>, listener: Listener): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      listener.events += 1;
      // Only what is counted is parsed: fifty listeners share this one process.
      if (line.includes('"deployment_success"')) listener.told.add(JSON.parse(line.slice('data: '.length)).id);
    }
  }
}

/** Asks for what is already so. @returns the id of the deployment, which ends at once */
async function changeNothing({ url, apps }: LoadedCell, index: number): Promise<string> {
  const answer = await fetch(`${url}/v2/apps${orderedId(index % apps)}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  });
  return changed.parse(await answer.json()).deploymentId;
}
