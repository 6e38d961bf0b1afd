import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { until } from '../integration/mesos-until.ts';
import { anyBody, anyJson } from './any-body.ts';

/** What no client should send to Marathon: everything of it is answered clearly, and nothing of it does harm. */

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const JSON_TYPE = { 'Content-Type': 'application/json' };
const APP = { cmd: 'sleep 1000', instances: 0 };

describe.each(['1.7', '1.11'] as const)('profile %s', (profile) => {
  let cell: MarathonCell;
  let stateDir: string;
  const faults: unknown[] = [];

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'bad-input-'));
    const log = { info: () => undefined, warn: (what: string, error: unknown) => faults.push([what, error]) };
    // No Mesos listens there: apps without instances need none.
    const mesosMaster = 'http://127.0.0.1:1';
    cell = await startMarathon({ host: '127.0.0.1', port: 0, mesosMaster, stateDir, profile, log });
    // Which release's types hold is learnt from it.
    await fetch(`${cell.url}/v2/info`);
  });

  afterAll(async () => {
    await cell.stop();
    rmSync(stateDir, { recursive: true });
    // What the cell itself did not foresee it would have told its log, but for the Mesos that is not there.
    expect(faults.filter((fault) => !/ECONNREFUSED|bad port|Mesos/.test(String(fault)))).toEqual([]);
  });

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = JSON_TYPE) {
    const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await fetch(cell.url + path, {
      method,
      headers,
      // Bytes, since fetch would give a text a content type of its own.
      ...(body === undefined ? {} : { body: Buffer.from(sent) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: answer.status, body: isJson ? JSON.parse(text) : text };
  }

  /** Sends bytes as they are and gives back what came until the server closed. */
  function raw(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(cell.url);
      const socket = connect({ host: hostname, port: Number(port) });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.write(bytes);
    });
  }

  const alive = async () => expect((await call('GET', '/ping')).body).toBe('pong');

  describe('bodies', () => {
    it('of ten megabytes are taken, unknown fields in them ignored, as by the original, which has no limit', async () => {
      const big = await call('POST', '/v2/apps', { id: '/big', ...APP, comment: 'x'.repeat(10 * MIB) });
      expect(big.status).toBe(201);
      const label = await call('POST', '/v2/apps', { id: '/big-label', ...APP, labels: { a: 'x'.repeat(2 * MIB) } });
      expect(label.status).toBe(201);
      expect((await call('GET', '/v2/apps/big-label')).body.app.labels.a).toHaveLength(2 * MIB);
      await call('DELETE', '/v2/apps/big-label');
    });

    it('of ten megabytes that break off in a string are refused', async () => {
      const answer = await call('POST', '/v2/apps', `{"id":"${'x'.repeat(10 * MIB)}`);
      expect(answer).toMatchObject({ status: 400, body: { message: 'Invalid JSON' } });
    });

    it('beyond sixteen megabytes are refused, however often, and nothing of them is kept', async () => {
      const held = () => {
        collectGarbage();
        return process.memoryUsage().arrayBuffers;
      };
      const before = held();
      for (let time = 0; time < 5; time += 1) {
        const answer = await call('POST', '/v2/apps', `{"id":"/huge","x":"${'x'.repeat(20 * MIB)}"}`);
        expect(answer).toEqual({ status: 413, body: { message: 'Request Entity Too Large' } });
      }
      // Five of them kept, as far as they may go, would be 80 MB.
      await until('they are let go', 30_000, () => held() - before < 40 * MIB);
      await alive();
    });

    it.each([
      ['lists', (deep: number) => '['.repeat(deep) + ']'.repeat(deep)],
      ['objects', (deep: number) => `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ])('of %s ten thousand and a hundred thousand deep are refused', async (_what, nested) => {
      for (const deep of [10_000, 100_000]) {
        for (const body of [nested(deep), `{"id":"/deep","cmd":"sleep 1","x":${nested(deep)}}`]) {
          const answer = await call('POST', '/v2/apps', body);
          expect(answer).toEqual({
            status: 400,
            body: { message: 'Invalid JSON', details: 'nests deeper than 1000 levels' },
          });
        }
      }
    });

    it('that nest less deep are read, and what is missing in them is named', async () => {
      const body = `{"x":${'['.repeat(900)}${']'.repeat(900)}}`;
      expect(await call('POST', '/v2/apps', body)).toMatchObject({ status: 422, body: { message: 'Invalid JSON' } });
    });

    it.each([
      [
        'in the middle',
        Buffer.concat([Buffer.from('{"id":"/u","cmd":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      ],
      ['cut off', Buffer.concat([Buffer.from('{"id":"/u","cmd":"'), Buffer.from([0xe2, 0x82])])],
      ['at all', Buffer.from([0xff, 0xfe, 0xfd])],
    ])('that are no UTF-8 %s are 400', async (_what, body) => {
      const answer = await call('POST', '/v2/apps', body);
      expect(answer).toEqual({ status: 400, body: { message: 'Invalid JSON', details: 'Invalid UTF-8' } });
    });

    it.each([
      ['cut off', '{"id":"/a","cmd":"sleep 1"'],
      ['followed by more', '{"id":"/a"} {"id":"/b"}'],
      ['not JSON', 'id=/a&cmd=x'],
      ['with a comma too many', '{"id":"/a",}'],
      ['with a NaN', '{"id":"/a","cpus":NaN}'],
      ['with single quotes', "{'id':'/a'}"],
      ['empty', ''],
      ['blank', '   \n'],
    ])('that are %s are 400 with a message and details', async (_what, body) => {
      for (const [method, path] of [
        ['POST', '/v2/apps'],
        ['PUT', '/v2/apps'],
        ['PUT', '/v2/apps/a'],
        ['PATCH', '/v2/apps/a'],
        ['POST', '/v2/groups'],
        ['PUT', '/v2/groups/g'],
        ['POST', '/v2/tasks/delete'],
      ] as const) {
        const answer = await call(method, path, body);
        expect([method, path, answer]).toEqual([
          method,
          path,
          { status: 400, body: { message: expect.any(String), details: expect.any(String) } },
        ]);
      }
    });

    it('that break off with their connection leave nothing behind', async () => {
      const head =
        'POST /v2/apps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n';
      const { hostname, port } = new URL(cell.url);
      await new Promise<void>((resolve) => {
        const socket = connect({ host: hostname, port: Number(port) }, () => {
          socket.write(`${head}{"id":"/cut","cmd":"sleep 1"`, () => socket.destroy());
        });
        socket.on('close', () => resolve());
      });
      expect((await call('GET', '/v2/apps/cut')).status).toBe(404);
      await alive();
    });

    it('with a key twice count by the last', async () => {
      const answer = await call('POST', '/v2/apps', '{"id":"/one","id":"/two","cmd":"sleep 1","instances":0}');
      expect(answer).toMatchObject({ status: 201, body: { id: '/two' } });
      expect((await call('GET', '/v2/apps/one')).status).toBe(404);
    });
  });

  describe('values', () => {
    it.each([
      ['cpus', '1e999', 'error.expected.jsnumber'],
      ['cpus', '-1e999', 'error.expected.jsnumber'],
      ['mem', '1e999', 'error.expected.jsnumber'],
      ['instances', '1e999', 'error.expected.int'],
      ['instances', '2147483648', 'error.expected.int'],
      ['instances', '1.5', 'error.expected.int'],
      ['backoffSeconds', '99999999999', 'error.expected.int'],
      ['instances', '-1', 'error.min'],
      ['cpus', 'true', 'error.expected.jsnumber'],
      ['labels', '[]', 'error.expected.jsobject'],
      ['constraints', '{}', 'error.expected.jsarray'],
      ['killSelection', '"NEWEST_FIRST"', 'error.unknown.enum.literal'],
    ])('%s of %s is refused', async (field, value, error) => {
      const answer = await call('POST', '/v2/apps', `{"id":"/v","cmd":"sleep 1","instances":0,"${field}":${value}}`);
      const details = [{ path: `/${field}`, errors: [error] }];
      expect(answer).toEqual({ status: 422, body: { message: 'Invalid JSON', details } });
    });

    it('under the names of what every object has are values like others', async () => {
      const names = '{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h"}';
      const body = `{"id":"/names","cmd":"sleep 1","instances":0,"labels":${names},"env":${names},"__proto__":{"cpus":7}}`;
      expect((await call('POST', '/v2/apps', body)).status).toBe(201);
      const { app } = (await call('GET', '/v2/apps/names')).body;
      expect(JSON.stringify(app.labels)).toBe(names);
      expect(JSON.stringify(app.env)).toBe(names);
      expect(app.cpus).toBe(1);
      expect(Reflect.get({}, 'cpus')).toBeUndefined();
      const selected = async (label: string) => (await call('GET', `/v2/apps?label=${label}`)).body.apps.length;
      expect(await selected('constructor==c')).toBe(1);
      expect(await selected('valueOf')).toBe(0);
    });

    it('that name apps and groups as every object has members are names like others', async () => {
      for (const id of ['constructor', '__proto__', 'toString', 'valueOf']) {
        expect(await call('GET', `/v2/apps/${id}`)).toMatchObject({
          status: 404,
          body: { message: `App '/${id}' does not exist` },
        });
        expect(await call('GET', `/v2/groups/${id}`)).toMatchObject({ status: 404 });
      }
      expect((await call('POST', '/v2/apps', { id: '/constructor/constructor', ...APP })).status).toBe(201);
      expect((await call('GET', '/v2/groups/constructor')).body.apps).toMatchObject([
        { id: '/constructor/constructor' },
      ]);
      expect((await call('DELETE', '/v2/groups/constructor')).status).toBe(200);
    });

    it('that nobody knows are ignored at every level', async () => {
      const more = { unknown: { deeply: [1] } };
      const answer = await call('POST', '/v2/apps', {
        id: '/unknown',
        ...APP,
        ...more,
        upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1, ...more },
        container: { type: 'DOCKER', docker: { image: 'a', ...more }, volumes: [], ...more },
        networks: [{ mode: 'container/bridge', ...more }],
        healthChecks: [{ protocol: 'TCP', port: 80, ...more }],
      });
      expect(answer.status).toBe(201);
      expect(JSON.stringify((await call('GET', '/v2/apps/unknown')).body)).not.toContain('unknown":');
    });
  });

  describe('the envelope', () => {
    it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data', 'json', ''])(
      'a body that calls itself %p is 415, whatever is in it',
      async (type) => {
        for (const body of ['{"id":"/t","cmd":"sleep 1"}', '{', '']) {
          if (type === '' && body !== '{') continue;
          const answer = await call('POST', '/v2/apps', body, { 'Content-Type': type });
          expect(answer).toEqual({ status: 415, body: { message: 'Unsupported Media Type' } });
        }
      },
    );

    it.each(['text/html', 'application/xml', 'image/png'])('an answer wanted as %s is 406', async (accept) => {
      for (const path of ['/v2/apps', '/v2/info', '/v2/tasks', '/v2/deployments', '/v2/groups']) {
        const answer = await call('GET', path, undefined, { Accept: accept });
        expect([path, answer]).toEqual([path, { status: 406, body: { message: 'Not Acceptable' } }]);
      }
    });

    it.each([
      ['DELETE', '/v2/apps'],
      ['POST', '/v2/apps/a'],
      ['GET', '/v2/apps/a/restart'],
      ['POST', '/v2/apps/a/versions'],
      ['DELETE', '/v2/apps/a/versions/2020-01-01T00:00:00.000Z'],
      ['PUT', '/v2/apps/a/tasks'],
      ['POST', '/v2/deployments'],
      ['GET', '/v2/deployments/x'],
      ['DELETE', '/v2/tasks'],
      ['GET', '/v2/tasks/delete'],
      ['POST', '/v2/queue'],
      ['GET', '/v2/queue/a/delay'],
      ['POST', '/v2/events'],
      ['PUT', '/v2/info'],
      ['POST', '/v2/leader'],
      ['DELETE', '/ping'],
      ['POST', '/metrics'],
    ])('%s of %s is 405', async (method, path) => {
      const answer = await call(method, path, ['GET', 'DELETE'].includes(method) ? undefined : {});
      expect([answer.status, answer.body.message ?? 'Method Not Allowed']).toEqual([405, 'Method Not Allowed']);
    });

    it('a path that is badly escaped is 400', async () => {
      for (const path of ['/v2/apps/%', '/v2/apps/%zz', '/v2/apps/%c3%28']) {
        expect([path, (await call('GET', path)).status]).toEqual([path, 400]);
      }
    });

    it('a head that is too long is refused, and what is no HTTP at all', async () => {
      const statusOf = async (bytes: string) => (await raw(bytes)).slice(0, 'HTTP/1.1 400'.length);
      const head = `X-Long: ${'x'.repeat(20_000)}\r\n`;
      expect(await statusOf(`GET /v2/apps HTTP/1.1\r\nHost: x\r\n${head}\r\n`)).toBe('HTTP/1.1 431');
      expect(await statusOf('HELO cell\r\n\r\n')).toBe('HTTP/1.1 400');
      await alive();
    });
  });

  it('any JSON at all, and any bytes, are answered without a fault and with a message', async () => {
    const names = ['id', 'cmd', 'args', 'env', 'labels', 'constraints', 'container', 'networks', 'portDefinitions'];
    const more = [
      'healthChecks',
      'upgradeStrategy',
      'instances',
      'groups',
      'apps',
      'ids',
      'version',
      'scaleBy',
      'fetch',
    ];
    const value = fc.oneof(anyJson, fc.array(anyJson, { maxLength: 3 }));
    const appLike = fc.dictionary(fc.constantFrom(...names, ...more), value, { maxKeys: 6 });
    const body = anyBody(appLike, fc.array(appLike, { maxLength: 3 }));
    const target = fc.constantFrom(
      ['POST', '/v2/apps'],
      ['PUT', '/v2/apps'],
      ['PUT', '/v2/apps/fuzz'],
      ['PATCH', '/v2/apps/fuzz'],
      ['POST', '/v2/groups'],
      ['PUT', '/v2/groups/fuzz?dryRun=true'],
      ['POST', '/v2/tasks/delete'],
    );
    await fc.assert(
      fc.asyncProperty(target, body, async ([method = '', path = ''], sent) => {
        const answer = await call(method, path, sent);
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) expect(answer.body.message).toEqual(expect.any(String));
      }),
      { numRuns: 400 },
    );
    await alive();
  });
});
