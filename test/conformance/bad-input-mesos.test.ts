import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { until } from '../integration/mesos-until.ts';
import { anyBody, anyJson } from './any-body.ts';

/** What no client should send to a master: everything of it is answered clearly, and nothing of it does harm. */

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const CALLS = ['/api/v1', '/api/v1/scheduler'] as const;

let cell: MesosCell;
let stateDir: string;
const faults: unknown[] = [];

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'bad-input-'));
  const first = await freePortBlock(2);
  const log = { info: () => undefined, warn: (what: string, error: unknown) => faults.push([what, error]) };
  const agent = { name: 'agent1', cpus: 1, mem: 64, portRange: [first, first + 1] as [number, number] };
  cell = await startMesos({ stateDir, agents: [agent] }, log);
});

afterAll(async () => {
  await cell.stop();
  rmSync(stateDir, { recursive: true });
  expect(faults).toEqual([]);
});

async function call(
  path: string,
  body: string | Uint8Array | undefined,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
) {
  const controller = new AbortController();
  const answer = await fetch(cell.masterUrl + path, {
    method: options.method ?? 'POST',
    headers: options.headers ?? { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
    signal: controller.signal,
  });
  const { status } = answer;
  const type = answer.headers.get('content-type');
  // An accepted SUBSCRIBE is a stream without end.
  if (answer.headers.get('transfer-encoding') === 'chunked') {
    controller.abort();
    return { status, type, text: '' };
  }
  return { status, type, text: await answer.text() };
}

const alive = async () => expect((await call('/health', undefined, { method: 'GET' })).status).toBe(200);

describe.each(CALLS)('%s', (path) => {
  it.each([
    ['GET', 405],
    ['PUT', 405],
    ['DELETE', 405],
    ['PATCH', 405],
  ])('refuses %s', async (method, status) => {
    const answer = await call(path, undefined, { method });
    expect(answer.status).toBe(status);
    expect(answer.text).toBe(`405 Method Not Allowed. Expecting one of { 'POST' }, but received '${method}'.`);
  });

  it('refuses other media types, a charset too, before it reads', async () => {
    for (const type of ['application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await call(path, '{', { headers: { 'Content-Type': type } });
      expect([type, answer.status]).toEqual([type, 415]);
      expect(answer.text).toBe("Expecting 'Content-Type' of application/json or application/x-protobuf");
    }
    const none = await call(path, '{', { headers: {} });
    expect([none.status, none.text]).toEqual([400, "Expecting 'Content-Type' to be present"]);
  });

  it('refuses answers in a form it does not have', async () => {
    const headers = { 'Content-Type': 'application/json', Accept: 'text/html' };
    const body =
      path === '/api/v1'
        ? '{"type":"GET_HEALTH"}'
        : '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}';
    const answer = await call(path, body, { headers });
    expect(answer.status).toBe(406);
    expect(answer.text).toBe("Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'type=GET_HEALTH'],
    ['JSON cut off', '{"type":'],
    ['JSON and more', '{"type":"GET_HEALTH"} {}'],
    ['a number', '1e999'],
    ['a list', '[{"type":"GET_HEALTH"}]'],
    ['null', 'null'],
    ['no type', '{}'],
    ['a type that is none', '{"type":"GET_NEWS"}'],
    ['a type that every object has', '{"type":"constructor"}'],
    ['a type that is a number', '{"type":7}'],
    ['a type that is an object', '{"type":{"a":1}}'],
    ['its call missing', `{"type":"${path === '/api/v1' ? 'TEARDOWN' : 'SUBSCRIBE'}"}`],
    ['lists ten thousand deep', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['objects a hundred thousand deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe])],
  ])('refuses %s in words', async (_what, body) => {
    const answer = await call(path, body);
    expect([answer.status, answer.type]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(answer.text).toMatch(/^Fail/);
  });

  it('refuses what is no message in the binary form', async () => {
    const headers = { 'Content-Type': 'application/x-protobuf' };
    for (const body of [
      Buffer.from([0xff, 0xff, 0xff]),
      Buffer.from('{"type":"GET_HEALTH"}'),
      Buffer.alloc(1000, 0x0a),
    ]) {
      expect((await call(path, body, { headers })).status).toBe(400);
    }
  });

  it('takes ten megabytes with what it does not know, and refuses a hundred', async () => {
    const body = (size: number) => `{"type":"GET_HEALTH","comment":"${'x'.repeat(size)}"}`;
    const ten = await call(path, body(10 * MIB));
    expect(ten.status).toBe(path === '/api/v1' ? 200 : 400);
    const hundred = await call(path, body(100 * MIB));
    expect([hundred.status, hundred.text]).toEqual([413, 'Request body too large']);
    await alive();
  });

  it('answers any JSON and any bytes without a fault', async () => {
    const names = ['type', 'framework_id', 'subscribe', 'accept', 'decline', 'kill', 'reconcile', 'revive', 'teardown'];
    const types = [
      'SUBSCRIBE',
      'ACCEPT',
      'DECLINE',
      'KILL',
      'RECONCILE',
      'TEARDOWN',
      'GET_TASKS',
      'DRAIN_AGENT',
      'READ_FILE',
    ];
    const fields = fc.dictionary(fc.constantFrom(...names), anyJson, { maxKeys: 5 });
    const body = anyBody(fc.tuple(fc.constantFrom(...types), fields).map(([type, call]) => ({ ...call, type })));
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom('application/json', 'application/x-protobuf'), async (sent, type) => {
        const answer = await call(path, sent, { headers: { 'Content-Type': type } });
        // 501 is the real master's word for calls that it knows and does not do.
        expect(answer.status === 501 || answer.status < 500).toBe(true);
        if (answer.status >= 400) expect(answer.type ?? 'text/plain; charset=utf-8').toBe('text/plain; charset=utf-8');
      }),
      { numRuns: 300 },
    );
    await alive();
  });
});

it('answers 404 to what it does not serve, and 400 to a path that is badly escaped', async () => {
  for (const [path, status] of [
    ['/', 404],
    ['/state.json', 404],
    ['/api/v2', 404],
    ['/constructor', 404],
    ['/master/__proto__', 404],
    ['/%zz', 400],
  ] as const) {
    expect([path, (await call(path, undefined, { method: 'GET' })).status]).toEqual([path, status]);
  }
});

it('closes the file of a download that is broken off', async () => {
  const work = join(stateDir, 'agents/agent1/work');
  const file = join(work, 'big');
  mkdirSync(work, { recursive: true });
  writeFileSync(file, '');
  truncateSync(file, 64 * MIB);
  const isOpen = () =>
    readdirSync('/proc/self/fd')
      .map((name) => `/proc/self/fd/${name}`)
      .some((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined && readlinkSync(path) === file);
  const answer = await fetch(`${cell.agents[0]?.url}/files/download?path=${encodeURIComponent(file)}`);
  const reader = answer.body?.getReader();
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
  expect(isOpen()).toBe(true);
  await reader?.cancel();
  await until('the file is closed', 30_000, () => !isOpen());
});
