/**
 * What a real Mesos 1.11.0 answered to 95 calls, mostly faulty, byte for byte. `mesos/http-1.11.0.json` was recorded
 * on one; `{framework}` and `{stream}` stand for the ids of a subscribed framework.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';

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

/** The framework of an old driver, which the cell can't have. */
const NOT_IN_THE_CELL = /driver based/;

let cell: MesosCell;
let stateDir: string;
let ids: { readonly framework: string; readonly stream: string };

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
  cell = await startMesos({
    stateDir,
    agents: [{ name: 'a', attributes: 'env:fat', cpus: 1, mem: 128, portRange: [31400, 31409] }],
  });
  ids = await subscribed();
});
afterAll(async () => {
  await cell.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

/** Subscribes and stays so. */
function subscribed(): Promise<{ framework: string; stream: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${cell.masterUrl}/api/v1/scheduler`,
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

const fill = (text: string) => text.replaceAll('{framework}', ids.framework).replaceAll('{stream}', ids.stream);

function send({ method, path, headers, body }: Exchange['request']): Promise<Exchange['response']> {
  const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)]));
  return new Promise((resolve, reject) => {
    const call = request(cell.masterUrl + path, { method, headers: filled }, (response) => {
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
    call.end(fill(text));
  });
}

describe('the master answers as a real one', () => {
  it.each(recorded.filter(({ name }) => !NOT_IN_THE_CELL.test(name)))('$name', async ({ request, response }) => {
    const expected = typeof response.body === 'string' ? { ...response, body: fill(response.body) } : response;
    expect(await send(request)).toEqual(expected);
  });
});
