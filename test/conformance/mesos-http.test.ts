/**
 * What a real Mesos 1.11.0 answered to 95 calls, mostly faulty, byte for byte. `mesos/http-1.11.0.json` was recorded
 * on one; `{framework}` and `{stream}` stand for the ids of a subscribed framework.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';

interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

const recorded: readonly Exchange[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'mesos/http-1.11.0.json'), 'utf8'),
);

/** The framework of an old driver, which neither has. */
const NOBODY_HAS = /driver based/;

interface Ids {
  readonly framework: string;
  readonly stream: string;
}

/** Subscribes and stays so. */
function subscribed(masterUrl: string): Promise<Ids> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${masterUrl}/api/v1/scheduler`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' } },
      (response) => {
        response.once('data', (chunk: Buffer) => {
          const framework = /"framework_id":\{"value":"([^"]+)"/.exec(chunk.toString())?.[1] ?? '';
          resolve({ framework, stream: String(response.headers['mesos-stream-id']) });
        });
        response.on('error', () => undefined);
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'root', name: 'probe' } } }));
  });
}

const fill = (text: string, ids: Ids) =>
  text.replaceAll('{framework}', ids.framework).replaceAll('{stream}', ids.stream);

function send(
  masterUrl: string,
  { method, path, headers, body }: Exchange['request'],
  ids: Ids,
): Promise<Exchange['response']> {
  const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, ids)]));
  return new Promise((resolve, reject) => {
    const call = request(masterUrl + path, { method, headers: filled }, (response) => {
      let answer = '';
      response.on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () => {
        const { 'content-type': type, allow } = response.headers;
        const json = type === 'application/json';
        resolve({
          status: response.statusCode ?? 0,
          headers: {
            ...(type === undefined ? {} : { 'Content-Type': type }),
            ...(allow === undefined ? {} : { Allow: allow }),
          },
          body: json ? JSON.parse(answer) : answer,
        });
      });
    });
    call.on('error', reject);
    call.end(fill(text, ids));
  });
}

describeOnEachMesos('the master answers as recorded', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
  let ids: Ids;
  beforeAll(async () => {
    ids = await subscribed(under.mesos.masterUrl);
  });

  for (const { name, request, response } of recorded.filter(({ name }) => !NOBODY_HAS.test(name))) {
    under.it(name, async () => {
      const expected = typeof response.body === 'string' ? { ...response, body: fill(response.body, ids) } : response;
      expect(await send(under.mesos.masterUrl, request, ids)).toEqual(expected);
    });
  }
});
