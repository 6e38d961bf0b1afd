import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { checkAnswers } from './contract/checked-answers.ts';

/**
 * 124 requests, good and bad, that a real Marathon 1.7.236 answered, put to the cell in the same order. Nothing runs:
 * there is no Mesos behind it, and the recording's apps have no instances, or never get any.
 */

interface Recorded {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly response: { readonly status: number; readonly body: unknown };
}

const recording: readonly Recorded[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'marathon/validation-1.7.236.json'), 'utf8'),
);

/** Faults of the original that the cell does not copy: it says the same with the status that was meant. */
const MEANT: Readonly<Record<string, number>> = {
  'constraint lower case': 422,
  'health command none': 422,
  unrouted: 404,
  'unrouted top': 404,
};

/** Such as `2026-11-22T09:54:48.141Z`; those that the recorder invented are from 2015. */
const TIME = /^20(?!15)\d\d-\d\d-\d\dT[\d:.]+Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The answer without what no two servers have in common: times, ids, its own address, and what ran there. */
function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    // Lists of apps and of errors have no order.
    return key === 'apps' || key === 'details'
      ? items.toSorted((a, b) => (JSON.stringify(sortKey(a)) < JSON.stringify(sortKey(b)) ? -1 : 1))
      : items;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member, name)]));
  }
  if (/^tasks(Staged|Running|Healthy|Unhealthy)$/.test(key)) return 'a count';
  // Assigned in the order of apps, of which the recorder had made others before.
  if ((key === 'port' || key === 'servicePort') && Number(value) >= 10_000 && Number(value) < 20_000) return 'assigned';
  if (key === 'leader') return 'host:port';
  if (typeof value === 'string' && TIME.test(value)) return 'a time';
  if (typeof value === 'string' && UUID.test(value)) return 'an id';
  return value;
}

function sortKey(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, 'id') ?? value) : value;
}

/** In the recording what had started by then; here nothing ever starts. */
const withoutDeployments = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, member) => (key === 'deployments' ? undefined : member)));

describe('the cell and Marathon 1.7.236', () => {
  checkAnswers('1.7');
  let cell: MarathonCell;
  let stateDir: string;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'marathon-validation-'));
    // Nobody listens there.
    cell = await startMarathon({ host: '127.0.0.1', port: 0, mesosMaster: 'http://127.0.0.1:1', stateDir });
  });

  afterAll(async () => {
    await cell.stop();
    rmSync(stateDir, { recursive: true });
  });

  it.each(recording)('agree on: $name', async ({ name, request, response }) => {
    const { method, path, body } = request;
    const headers = {
      ...(body === null || request.headers ? {} : { 'Content-Type': 'application/json' }),
      ...request.headers,
    };
    const answer = await fetch(cell.url + path, {
      method,
      headers,
      // Bytes, since fetch would give a text a content type of its own.
      ...(body === null ? {} : { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }),
    });
    const got = { status: answer.status, body: withoutDeployments(comparable(await answer.json())) };
    const wanted = { status: MEANT[name] ?? response.status, body: withoutDeployments(comparable(response.body)) };
    expect(got).toEqual(wanted);
  });
});
