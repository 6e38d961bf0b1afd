/** The Mesos clients that production runs, on what a real Mesos 1.11.0 said: nothing is refused, every fact arrives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readAgentState, sandboxOf } from '../../activities/mesos/agent-files.ts';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import { SchedulerClient } from '../../activities/mesos/scheduler-client.ts';
import type { SchedulerEvent } from '../../activities/mesos/types.ts';
import { NO_SHARED, SHARED } from '../shared.ts';
import { type RecordPlayer, recordedAnswer, recordedStream, startRecordPlayer } from './record-player.ts';

const event = z.looseObject({ type: z.string() });
const session = z.array(z.looseObject({ kind: z.string(), data: z.unknown() }));
const operatorCall = z.object({ call: z.object({ type: z.string() }), status: z.number(), body: z.unknown() });
const gone = z.array(
  z.union([event, z.looseObject({ reconcile: z.array(event) }), z.looseObject({ call: z.string() })]),
);

const load = (name: string): unknown =>
  JSON.parse(readFileSync(join(SHARED ?? '', 'contracts/mesos/recorded-1.11.0', `${name}.json`), 'utf8'));

let player: RecordPlayer;
beforeAll(async () => {
  player = await startRecordPlayer();
});
afterAll(() => player.stop());

/** Subscribes, and gives what comes until the stream ends. */
async function heard(events: readonly unknown[]): Promise<SchedulerEvent[]> {
  player.answer = recordedStream(events);
  const frameworkInfo = { user: 'root', name: 'test' };
  const client = new SchedulerClient({ master: player.url, timeoutMs: 5_000, frameworkInfo });
  const told: SchedulerEvent[] = [];
  const all = (async () => {
    for await (const one of client.subscribe()) told.push(one);
  })();
  // Only an ERROR ends a stream in order.
  if (event.parse(events.at(-1)).type === 'ERROR') await all;
  else await expect(all).rejects.toThrow('Subscribe again');
  return told;
}

/** A session may have several streams: an ERROR ends one. */
function streamsOf(events: readonly z.infer<typeof event>[]): z.infer<typeof event>[][] {
  const streams: z.infer<typeof event>[][] = [];
  for (const one of events) {
    const open = streams.at(-1);
    if (open === undefined || open.at(-1)?.type === 'ERROR') streams.push([one]);
    else open.push(one);
  }
  return streams;
}

const OPERATOR_CALLS = {
  GET_HEALTH: (client: OperatorClient) => client.getHealth().then((healthy) => ({ healthy })),
  GET_VERSION: (client: OperatorClient) => client.getVersion().then((version) => ({ version_info: { version } })),
  GET_AGENTS: (client: OperatorClient) => client.getAgents().then((agents) => ({ agents })),
  GET_TASKS: (client: OperatorClient) => client.getTasks(),
  GET_STATE: (client: OperatorClient) => client.getState(),
} as const;

/** What a loose schema may add: collections that were left out. */
const facts = (answer: unknown): unknown => JSON.parse(JSON.stringify(answer));

(SHARED === undefined ? describe.skip : describe)(SHARED === undefined ? NO_SHARED : 'what a real Mesos said', () => {
  it('to a scheduler in a long session', async () => {
    const entries = session.parse(load('scheduler-session'));
    const events = entries.flatMap(({ kind, data }) => (kind === 'event' ? [event.parse(data)] : []));
    const refused = entries.flatMap(({ kind, data }) => (kind === 'resubscribe' ? z.array(event).parse(data) : []));
    const streams = [...streamsOf(events), refused];
    expect(streams.map((stream) => stream.length)).toEqual([30, 19, 1]);
    for (const stream of streams) expect(await heard(stream)).toMatchObject(stream);
    const types = new Set(events.map(({ type }) => type));
    expect([...types].toSorted()).toEqual([
      ...['ERROR', 'HEARTBEAT', 'INVERSE_OFFERS', 'OFFERS', 'RESCIND', 'RESCIND_INVERSE_OFFER', 'SUBSCRIBED', 'UPDATE'],
    ]);
  });

  it('to a scheduler whose agent is gone for ever', async () => {
    const events = gone.parse(load('mark-agent-gone')).flatMap((entry) => {
      if ('reconcile' in entry) return z.array(event).parse(entry['reconcile']);
      return 'type' in entry ? [event.parse(entry)] : [];
    });
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['UPDATE', 'RESCIND', 'FAILURE']));
    expect(await heard(events)).toMatchObject(events);
  });

  const exchanges = SHARED === undefined ? [] : operatorExchanges();
  it.each(exchanges)('to an operator: $type ($of)', async ({ type, body }) => {
    player.answer = recordedAnswer(200, body);
    const answer = await OPERATOR_CALLS[type](new OperatorClient({ master: player.url, timeoutMs: 5_000 }));
    const [said] = Object.entries(z.looseObject({}).parse(body)).flatMap(([key, value]) =>
      key === 'type' ? [] : [value],
    );
    if (type === 'GET_VERSION') expect(said).toMatchObject(facts(answer) as object);
    else if (type === 'GET_AGENTS')
      expect(facts(answer)).toMatchObject({ agents: (said as { agents: object[] }).agents });
    else expect(facts(answer)).toMatchObject(said as object);
  });

  it('of the sandboxes of an agent', async () => {
    const entry = z
      .array(
        z.looseObject({ request: z.looseObject({ path: z.string() }), response: z.looseObject({ body: z.unknown() }) }),
      )
      .parse(load('state-endpoints'))
      .find(({ request }) => request.path === '/slave(1)/state');
    player.answer = recordedAnswer(200, entry?.response.body);
    const state = await readAgentState(player.url);
    const [framework] = state.frameworks;
    const [executor] = framework?.executors ?? [];
    expect(executor?.directory).toMatch(/\/executors\/web\.1\/runs\//);
    expect(sandboxOf(state, framework?.id ?? '', 'web.1')).toBe(executor?.directory);
  });
});

function operatorExchanges() {
  const isOurs = (type: string): type is keyof typeof OPERATOR_CALLS => type in OPERATOR_CALLS;
  const during = session
    .parse(load('scheduler-session'))
    .flatMap(({ kind, data }) => (kind === 'operator' ? [operatorCall.safeParse(data).data] : []));
  const all = [
    ...z
      .array(operatorCall)
      .parse(load('operator-calls'))
      .map((exchange) => ({ of: 'calls', exchange })),
    ...during.map((exchange) => ({ of: 'session', exchange })),
  ];
  return all.flatMap(({ of, exchange }) => {
    const type = exchange?.call.type ?? '';
    return isOurs(type) ? [{ of, type, body: exchange?.body }] : [];
  });
}
