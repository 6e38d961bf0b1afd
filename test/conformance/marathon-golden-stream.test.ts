import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { AGENTS } from './marathon/golden-play.ts';
import { goldenNamed } from './marathon/golden-record.ts';
import { Replay } from './marathon/replay.ts';
import { type Stage, startStage } from './marathon/stage.ts';

/** The stream of events itself, as a real Marathon 1.11.26 serves it: headers, bytes, filters, and who gets none. */

jest.setTimeout(60_000);

const line = z.object({ line: z.string() });
const streamsShape = z.array(
  z.object({
    name: z.string(),
    path: z.string(),
    requestHeaders: z.record(z.string(), z.string()),
    headers: z.record(z.string(), z.string()),
    lines: z.array(line),
  }),
);
const record = goldenNamed('events-stream');
const streams = streamsShape.parse(record['streams']);
const refused = record.steps.filter(({ response }) => response?.status !== 200 && response?.status !== 201);
const changes = record.steps.filter(({ request }) => request?.path.startsWith('/v2/apps'));

/** Of these how many there are depends on when others came and went, and how long it took. */
const CHANCE = ['event_stream_attached', 'event_stream_detached'];

interface OpenStream {
  readonly answer: IncomingMessage;
  readonly text: () => string;
  close(): void;
}

async function open(url: string, path: string, headers: Readonly<Record<string, string>>): Promise<OpenStream> {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ host: hostname, port, path, headers, agent: false });
  request.end();
  const [answer]: IncomingMessage[] = await once(request, 'response');
  if (!answer) throw new Error('there is no answer');
  let text = '';
  answer.setEncoding('utf8');
  answer.on('data', (chunk: string) => {
    text += chunk;
  });
  answer.on('error', () => undefined);
  return { answer, text: () => text, close: () => void request.destroy() };
}

/** Types of events in a text, without those that are there by chance; how often is the same for both. */
function typesIn(text: string): readonly string[] {
  const types = [...text.matchAll(/^event: (.*)\r$/gm)].map(([, type = '']) => type);
  return types.filter((type) => !CHANCE.includes(type)).toSorted();
}

describe('the stream of events', () => {
  let stage: Stage;
  let open_: OpenStream[] = [];

  beforeAll(async () => {
    stage = await startStage({ agents: AGENTS, mesosDelayMs: 100, marathon: { profile: '1.11' } });
  });

  afterAll(async () => {
    for (const one of open_) one.close();
    await stage?.stop();
  });

  it.each(refused)('is refused as recorded: $request.method $request.path $request.headers', async (step) => {
    const { request, response } = step;
    if (!request || !response) throw new Error('there is nothing to ask');
    const answer = await ask(stage.url, request);
    expect(answer.status).toBe(response.status);
    // A client that wants JSON alone gets no page there, and none here that says more.
    if (response.headers['Content-Type'] && request.headers?.['Accept'] !== 'application/json') {
      expect(answer.headers['content-type']).toBe(response.headers['Content-Type']);
    }
  });

  it('has the recorded headers, and begins with word of its own beginning', async () => {
    const [plain] = streams;
    const stream = await open(stage.url, '/v2/events', { Accept: 'text/event-stream' });
    open_.push(stream);
    expect(stream.answer.statusCode).toBe(200);
    for (const name of ['Content-Type', 'Connection', 'Cache-Control', 'X-Frame-Options', 'X-XSS-Protection']) {
      expect([name, stream.answer.headers[name.toLowerCase()]]).toEqual([name, plain?.headers[name]]);
    }
    expect(stream.answer.headers['transfer-encoding']).toBeUndefined();
    await until('the first event is there', 30_000, () => stream.text().endsWith('\r\n\r\n'));
    expect(stream.text()).toMatch(
      /^event: event_stream_attached\r\ndata: \{"remoteAddress":"127\.0\.0\.1","eventType":"event_stream_attached","timestamp":"[\dT:.Z-]+"\}\r\n\r\n$/,
    );
  });

  it('is given to a client that names no type, and told to others as it comes and goes', async () => {
    const [first] = open_;
    const stream = await open(stage.url, '/v2/events', {});
    expect(stream.answer.statusCode).toBe(200);
    const attached = () => first?.text().match(/^event: event_stream_attached\r$/gm)?.length;
    await until('the others heard of it', 30_000, () => attached() === 2);
    stream.close();
    await until('the others heard that it went', 30_000, () =>
      first?.text().includes('event: event_stream_detached\r\n'),
    );
  });

  it('carries the recorded types of events, by each filter and format', async () => {
    open_ = [...open_, ...(await Promise.all(streams.map((each) => open(stage.url, each.path, each.requestHeaders))))];
    const taken = open_.slice(-streams.length);
    const replay = await Replay.on(stage, record);
    for (const step of changes) {
      const { got, wanted } = await replay.play({ ...step, t: 0 });
      expect(got).toEqual(wanted);
      await until('nothing is deployed', 30_000, async () => {
        const { body } = await ask(stage.url, { method: 'GET', path: '/v2/deployments' });
        return Array.isArray(body) && body.length === 0;
      });
    }
    replay.stop();
    for (const [index, each] of streams.entries()) {
      const wanted = typesIn(each.lines.map((one) => one.line).join(''));
      const got = () => typesIn(taken[index]?.text() ?? '');
      await until(`${each.name} has had ${wanted.length} events`, 30_000, () => got().length >= wanted.length);
      expect([each.name, got()]).toEqual([each.name, wanted]);
    }
  });

  it('is kept alive by a bare line every ten seconds', async () => {
    // Nothing is told of an unknown type but that the stream is alive.
    const quiet = open_[open_.length - streams.length + streams.findIndex(({ name }) => name === 'filterUnknown')];
    const before = quiet?.text() ?? '';
    await until('it is kept alive', 30_000, () => (quiet?.text().length ?? 0) > before.length);
    expect(quiet?.text()).toMatch(/^(\r\n)+$/);
  });
});
