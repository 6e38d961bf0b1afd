import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { comparable } from './marathon/comparable.ts';

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

/** The answer without what ran there, and without service ports: the recorder had made other apps before. */
const bare = (value: unknown): unknown =>
  comparable(
    JSON.parse(JSON.stringify(value), (key, member) => {
      if (/^tasks(Staged|Running|Healthy|Unhealthy)$/.test(key)) return 'a count';
      if ((key === 'port' || key === 'servicePort') && member >= 10_000 && member < 20_000) return 'assigned';
      return key === 'deployments' ? undefined : member;
    }),
  );

describe('the cell and Marathon 1.7.236', () => {
  let cell: MarathonCell;
  let stateDir: string;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'marathon-validation-'));
    // Nobody listens there.
    cell = await startMarathon({ host: '127.0.0.1', port: 0, mesosMaster: 'http://127.0.0.1:1', stateDir });
    // Which release's types hold is learnt from it.
    await fetch(`${cell.url}/v2/info`);
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
    const got = { status: answer.status, body: bare(await answer.json()) };
    const wanted = { status: MEANT[name] ?? response.status, body: bare(response.body) };
    expect(got).toEqual(wanted);
  });
});
