import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { until } from '../integration/mesos-until.ts';
import { listen } from './marathon/asking.ts';
import { comparable } from './marathon/comparable.ts';
import { Parts, tasksIn } from './marathon/parts.ts';
import { recordedEvents } from './marathon/recorded-record.ts';
import { ALIKE, inOrder, likeness } from './marathon/thread-likeness.ts';

/**
 * The life of an app on a real Marathon 1.7.236 (create, lock, scale, update, roll back, restart, kill in all forms,
 * delete) and its event stream meanwhile, played again on the cell with real tasks. Where the recorder waited, the test waits until nothing moves;
 * where it did not, no call gets to Mesos meanwhile.
 */

jest.setTimeout(60_000);

/** The recorder waited when it let so much time go by between an answer and the next. */
const RECORDER_WAITED_SECONDS = 0.25;

interface Recorded {
  readonly t: number;
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

const recording: readonly Recorded[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'marathon/lifecycle-1.7.236.json'), 'utf8'),
);

/** What Marathon decides now is stored when this is. */
let stored: PromiseWithResolvers<void> | undefined;
let mesos: MesosCell;
let cell: MarathonCell;
let proxy: FaultProxy;
let client: MarathonClient;
let stateDir: string;
let stream: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'marathon-lifecycle-'));
  const first = await freePortBlock(50);
  mesos = await startMesos({
    stateDir: join(stateDir, 'mesos'),
    agents: [
      {
        name: 'agent1',
        hostname: 'localhost',
        attributes: 'env:fat;rack:r1;num:3.5',
        cpus: 4,
        mem: 4096,
        portRange: [first, first + 49],
      },
    ],
    stopGraceMs: 500,
  });
  proxy = await startFaultProxy({ target: mesos.masterUrl });
  cell = await startMarathon({
    host: '127.0.0.1',
    port: 0,
    mesosMaster: proxy.url,
    stateDir: join(stateDir, 'marathon'),
    stored: () => stored?.promise,
  });
  client = new MarathonClient({ url: cell.url });
  await until('it is registered', 60_000, async () => (await client.info()).frameworkId);
  stream = await listen(cell.url);
});

afterAll(async () => {
  stream?.stop();
  await cell?.stop();
  await proxy?.stop();
  await mesos?.stop();
  rmSync(stateDir, { recursive: true });
});

/** Tasks that were told to end. */
const killed = new Set<string>();

/** Nothing is deployed, every app has all its tasks, and all of them run. */
const atRest = () =>
  until('nothing moves', 20_000, async () => {
    const apps = await client.listApps({ embed: ['tasks'] });
    const still = apps.every(
      (app) =>
        app.tasks.length === app.instances &&
        app.tasks.every(({ id, state }) => state === 'TASK_RUNNING' && !killed.has(id)),
    );
    return still && (await client.deployments()).length === 0;
  });

describe('the life of an app on the cell and on Marathon 1.7.236', () => {
  const parts = new Parts();
  let before = 0;

  it.each(recording)('is the same at: $name', async ({ t, name, request, response }) => {
    if (t - before > RECORDER_WAITED_SECONDS) {
      proxy.disarmAll();
      await atRest();
    }
    before = t;
    proxy.arm({ kind: 'hold', method: 'POST' });
    // To register an app took the recorded one a tenth of a second, which shows just after its creation.
    if (name === 'create') stored = Promise.withResolvers();
    const { method, path, body, headers } = request;
    const answer = await fetch(cell.url + parts.translate(path), {
      method,
      headers: { ...(body === null ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === null ? {} : { body: Buffer.from(parts.translate(JSON.stringify(body))) }),
    });
    const text = await answer.text();
    if (name === 'app just after') {
      stored?.resolve();
      stored = undefined;
    }
    const isJson = answer.headers.get('content-type') === 'application/json';
    const got = isJson ? JSON.parse(text) : text;
    parts.learn(response.body, got);
    if (method !== 'GET') for (const { id } of tasksIn(got)) killed.add(id);
    const wanted = parts.translated(response.body);
    expect(answer.status).toBe(response.status);
    for (const header of ['Content-Type', 'Vary', 'Marathon-Deployment-Id', 'Location', 'X-Marathon-Leader']) {
      const [ours, theirs] = [answer.headers.get(header) ?? undefined, response.headers[header]];
      expect([header, comparable(ours)]).toEqual([header, comparable(theirs)]);
    }
    expect(comparable(got, parts.known)).toEqual(comparable(wanted, parts.known));
  });

  it('tells the same events of each deployment and each instance, in the same order', async () => {
    proxy.disarmAll();
    await until('the last task is gone', 30_000, () =>
      stream.events.some(({ eventType }) => eventType === 'app_terminated_event'),
    );
    const recorded = recordedEvents('event-stream-1.7.236').map(({ event, data }) => ({
      eventType: event,
      data: parts.translatedButTasks(data) as Readonly<Record<string, unknown>>,
    }));
    expect(likeness(stream.events, recorded, parts.known)).toEqual(ALIKE);
    expect(inOrder(stream.events, parts.known)).toEqual(inOrder(recorded, parts.known));
  });
});
