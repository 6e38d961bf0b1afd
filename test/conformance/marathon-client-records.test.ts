/**
 * The Marathon client that production runs, on what real Marathons of four releases said: no answer and no event is
 * refused, every fact arrives, and an error keeps Marathon's words.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { marathonEvents } from '../../activities/marathon/events.ts';
import type { MarathonEvent } from '../../activities/marathon/types.ts';
import { NO_SHARED, SHARED } from '../shared.ts';
import { type RecordPlayer, recordedAnswer, recordedEvents, startRecordPlayer } from './record-player.ts';

const exchange = z.looseObject({
  request: z.looseObject({ method: z.string(), path: z.string() }),
  response: z.looseObject({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.unknown() }),
});
type Exchange = z.infer<typeof exchange>;
const event = z.looseObject({ event: z.string(), data: z.looseObject({ eventType: z.string() }) });
const locked = z.looseObject({ deployments: z.array(z.looseObject({ id: z.string() })) });
const message = z.looseObject({ message: z.string() });

type Call = (client: MarathonClient) => Promise<unknown>;

/** Calls that the client makes, by method and path; what it answers with, as Marathon words it. */
const CALLS: readonly (readonly [RegExp, Call])[] = [
  [/^GET \/v2\/apps(\?(?!.*label).*)?$/, (client) => client.listApps().then((apps) => ({ apps }))],
  [/^POST \/v2\/apps(\?.*)?$/, (client) => client.createApp({ id: '/x' })],
  [/^GET \/v2\/tasks(\?.*)?$/, (client) => client.listAllTasks().then((tasks) => ({ tasks }))],
  [/^POST \/v2\/tasks\/delete\?scale=true/, (client) => client.killTasksAndScale(['x'])],
  [/^POST \/v2\/tasks\/delete$/, (client) => client.killTasks(['x']).then((tasks) => ({ tasks }))],
  [/^GET \/v2\/deployments$/, (client) => client.deployments()],
  [/^GET \/v2\/queue(\?.*)?$/, (client) => client.queue().then((queue) => ({ queue }))],
  [/^GET \/v2\/info$/, (client) => client.info()],
  [/^GET \/v2\/leader$/, (client) => client.leader().then((leader) => ({ leader }))],
  [/^GET \/v2\/apps\/[^?*]+\/tasks$/, (client) => client.listTasks('/x').then(tasksOrNone)],
  [/^GET \/v2\/apps\/(?!.*\/versions|.*\*)[^?]+(\?.*)?$/, (client) => client.getApp('/x').then(appOrNone)],
  [/^PUT \/v2\/apps\/[^?]+(\?.*)?$/, (client) => client.scaleApp('/x', 1)],
  [/^DELETE \/v2\/apps\/(?!.*\/tasks)[^?]+(\?.*)?$/, (client) => client.deleteApp('/x')],
];

const tasksOrNone = (tasks: unknown) => (tasks === undefined ? undefined : { tasks });
const appOrNone = (app: unknown) => (app === undefined ? undefined : { app });

/** How the client makes this call; undefined for one that it never makes: it asks for JSON only. */
function callOf({ request: { method, path }, response }: Exchange): Call | undefined {
  if (response.status < 300 && !isJson(response)) return undefined;
  return CALLS.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1];
}

const isJson = ({ headers }: Exchange['response']) => headers['Content-Type']?.startsWith('application/json') ?? false;

/** As Marathon said it, without the nulls and empty lists that the client words in one way. */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(facts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, facts(one)]])));
}

/** Everything of a record that may be an exchange or an event, however the file nests them. */
function entries(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(entries).concat(value);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(entries) : [];
}

interface RecordFile {
  readonly name: string;
  readonly exchanges: readonly { readonly call: Call; readonly one: Exchange }[];
  readonly events: readonly z.infer<typeof event>[];
}

function recordFiles(): RecordFile[] {
  if (SHARED === undefined) return [];
  const root = join(SHARED, 'contracts/marathon');
  return ['golden', 'recorded-1.7.236', 'recorded-1.8.244'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => {
        const all = entries(JSON.parse(readFileSync(join(root, folder, name), 'utf8')));
        return {
          name: `${folder}/${name}`,
          exchanges: all.flatMap((entry) => {
            const one = exchange.safeParse(entry).data;
            const call = one && callOf(one);
            return one === undefined || call === undefined ? [] : [{ call, one }];
          }),
          events: all.flatMap((one) => event.safeParse(one).data ?? []),
        };
      }),
  );
}

let player: RecordPlayer;
beforeAll(async () => {
  player = await startRecordPlayer();
});
afterAll(() => player.stop());

async function play(call: Call, { request: { method, path }, response }: Exchange): Promise<void> {
  const { status, headers, body } = response;
  player.answer = recordedAnswer(status, body, headers['Content-Type']);
  const outcome = await call(new MarathonClient({ url: player.url })).catch((error: unknown) => error);
  const where = `${method} ${path}: `;
  if (status < 300) {
    expect({ where, outcome }).toMatchObject({ where, outcome: facts(body) });
  } else if (status !== 404 || outcome !== undefined) {
    expect({ where, failed: outcome instanceof ApplicationFailure }).toEqual({ where, failed: true });
    const failure = outcome as ApplicationFailure;
    const deployments = locked.safeParse(body).data?.deployments.map(({ id }) => id);
    const said = deployments?.join(', ') ?? message.safeParse(body).data?.message ?? '';
    const again = status >= 500 || (status === 409 && deployments !== undefined);
    expect({ where, type: failure.type, message: failure.message }).toEqual({
      where,
      type: again ? 'SystemUnavailable' : 'SystemRefused',
      message: expect.stringContaining(said),
    });
  }
}

async function heard(events: readonly z.infer<typeof event>[]): Promise<MarathonEvent[]> {
  player.answer = recordedEvents(events);
  const told: MarathonEvent[] = [];
  const all = (async () => {
    for await (const one of marathonEvents({ url: player.url })) told.push(one);
  })();
  await expect(all).rejects.toThrow('Marathon ended the stream');
  return told;
}

const files = recordFiles();

(SHARED === undefined ? describe.skip : describe)(SHARED === undefined ? NO_SHARED : 'what real Marathons said', () => {
  it('is there', () => {
    expect(files.flatMap(({ exchanges }) => exchanges).length).toBeGreaterThan(500);
    expect(files.flatMap(({ events }) => events).length).toBeGreaterThan(2000);
  });

  it.each(files.filter(({ exchanges }) => exchanges.length > 0))('in answers: $name', async ({ exchanges }) => {
    for (const { call, one } of exchanges) await play(call, one);
  });

  it.each(files.filter(({ events }) => events.length > 0))('in events: $name', async ({ events }) => {
    expect(await heard(events)).toEqual(events.map(({ data }) => data));
  });
});
