/** Many listeners on the event stream while tasks end and are replaced faster than any real cluster does it. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { until } from '../../test/integration/mesos-until.ts';
import type { LoadedCell } from './loaded-cell.ts';

/** A killed task and its replacement make about seven events. */
const EVENTS_PER_KILL = 7;
/** Ordered above the rate that is asked for: the bar is on what arrives. */
const MARGIN = 1.3;
const PERIOD_MS = 100;
const SETTLED_WITHIN_MS = 60_000;

const taskList = z.object({ tasks: z.array(z.object({ id: z.string(), state: z.string() })) });

export interface StreamsResult {
  /** Events a second that each listener got while tasks were killed. */
  readonly rate: number;
  readonly events: number;
  /** Ends and starts of tasks that the API tells of and a listener did not hear of, summed over all listeners. */
  readonly missed: number;
}

interface Listener {
  events: number;
  readonly killed: Set<string>;
  readonly running: Set<string>;
  close(): void;
}

export async function eventStreams(
  cell: LoadedCell,
  { listeners: count, rate, seconds }: { listeners: number; rate: number; seconds: number },
): Promise<StreamsResult> {
  const listeners = await Promise.all(Array.from({ length: count }, () => listen(cell.url)));
  try {
    const before = await runningIds(cell);
    const victims = [...before];
    const killed: string[] = [];
    const perPeriod = Math.ceil((rate * MARGIN * PERIOD_MS) / 1000 / EVENTS_PER_KILL);
    const started = performance.now();
    for (let period = 0; period < (seconds * 1000) / PERIOD_MS; period += 1) {
      const ids = victims.splice(0, perPeriod);
      await kill(cell.url, ids);
      killed.push(...ids);
      await pause(Math.max(0, started + (period + 1) * PERIOD_MS - performance.now()));
    }
    const elapsed = (performance.now() - started) / 1000;
    const heard = Math.min(...listeners.map(({ events }) => events));
    const after = await until('every killed task is replaced', SETTLED_WITHIN_MS, async () => {
      const ids = await runningIds(cell);
      return ids.size === before.size && killed.every((id) => !ids.has(id)) ? ids : undefined;
    });
    const born = [...after].filter((id) => !before.has(id));
    const missing = () =>
      listeners.reduce(
        (sum, { killed: ends, running }) =>
          sum + killed.filter((id) => !ends.has(id)).length + born.filter((id) => !running.has(id)).length,
        0,
      );
    // What was written to a stream before the API told of it may still be on its way to this process.
    await until('events have arrived', SETTLED_WITHIN_MS, async () => missing() === 0).catch(() => undefined);
    return {
      rate: Math.round(heard / elapsed),
      events: Math.min(...listeners.map(({ events }) => events)),
      missed: missing(),
    };
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
  const listener: Listener = { events: 0, killed: new Set(), running: new Set(), close: () => controller.abort() };
  void read(answer.body, listener).catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
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
      if (!line.includes('"status_update_event"')) continue;
      const { taskId, taskStatus } = JSON.parse(line.slice('data: '.length));
      if (taskStatus === 'TASK_KILLED') listener.killed.add(taskId);
      if (taskStatus === 'TASK_RUNNING') listener.running.add(taskId);
    }
  }
}

async function kill(url: string, ids: readonly string[]): Promise<void> {
  const answer = await fetch(`${url}/v2/tasks/delete`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ids }),
  });
  if (answer.status !== 200) throw new Error(`kill: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function runningIds({ url }: LoadedCell): Promise<ReadonlySet<string>> {
  const { tasks } = taskList.parse(await (await fetch(`${url}/v2/tasks?status=running`)).json());
  return new Set(tasks.filter(({ state }) => state === 'TASK_RUNNING').map(({ id }) => id));
}
