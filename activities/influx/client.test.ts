import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { InfluxClient } from './client.ts';
import type { Point } from './line-protocol.ts';

let server: Server;
let client: InfluxClient;
let answers: (readonly [number, string])[];
const asked: { url: string; body: string }[] = [];

beforeEach(async () => {
  asked.length = 0;
  answers = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ url: request.url ?? '', body });
      const [status, text] = answers.shift() ?? [204, ''];
      response.writeHead(status);
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new InfluxClient({ url: `http://127.0.0.1:${port}`, database: 'slip way' });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const points = (count: number): Point[] =>
  Array.from({ length: count }, (_, second) => ({ measurement: 'm', tags: {}, fields: { f: 1 }, second }));

const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
};

describe('InfluxClient', () => {
  it('writes in requests of 5,000', async () => {
    expect(await client.write(points(12_000))).toEqual({ dropped: 0 });
    expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/write?db=slip+way&precision=s'));
    expect(asked.map(({ body }) => body.split('\n').length)).toEqual([5_000, 5_000, 2_000]);
  });

  it('asks nothing for nothing', async () => {
    expect(await client.write([])).toEqual({ dropped: 0 });
    expect(asked).toEqual([]);
  });

  it.each([
    ['points beyond the retention', 'partial write: points beyond retention policy dropped=2', 2],
    ['lines that can not be read', "partial write: unable to parse 'x': missing fields dropped=0", 1],
    ['all lines', "unable to parse 'x': missing fields", 3],
  ])('goes on when InfluxDB drops %s, and says how many', async (_name, reason, dropped) => {
    answers = [[400, JSON.stringify({ error: reason })]];
    expect(await client.write(points(3))).toEqual({ dropped, reason });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [500, 'SystemUnavailable', false],
    [503, 'SystemUnavailable', false],
    [429, 'SystemUnavailable', false],
    [404, 'SystemRefused', true],
    [401, 'SystemRefused', true],
  ])('fails to write on %i: %s', async (status, type, nonRetryable) => {
    answers = [[status, JSON.stringify({ error: 'database not found: "x"' })]];
    const failure = await failureOf(client.write(points(1)));
    expect(failure).toMatchObject({ type, nonRetryable });
    expect(failure.message).toContain(`answered ${status}: database not found: "x"`);
  });

  it('binds values to a query', async () => {
    answers = [
      [
        200,
        JSON.stringify({
          results: [{ series: [{ name: 'm', tags: { r: 'r1' }, columns: ['time', 'n'], values: [[5, null]] }] }],
        }),
      ],
    ];
    const series = await client.query('SELECT n FROM m WHERE e = $e', { e: "a'; DROP DATABASE x" });
    expect(series).toEqual([{ tags: { r: 'r1' }, columns: ['time', 'n'], rows: [[5, null]] }]);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      db: 'slip way',
      epoch: 's',
      params: '{"e":"a\'; DROP DATABASE x"}',
      q: 'SELECT n FROM m WHERE e = $e',
    });
  });

  it('fails on an error inside a good answer', async () => {
    answers = [[200, JSON.stringify({ results: [{ error: 'database not found: x' }] })]];
    expect(await failureOf(client.query('SELECT'))).toMatchObject({ type: 'SystemRefused', nonRetryable: true });
  });

  it('does not take anything for an answer', async () => {
    answers = [[200, '<html>login</html>']];
    expect(await failureOf(client.query('SELECT'))).toMatchObject({ type: 'UnexpectedAnswer', nonRetryable: true });
  });

  it('quotes the name of the database it makes', async () => {
    answers = [[200, '{"results":[{}]}']];
    await client.createDatabase(7);
    expect(new URLSearchParams(asked[0]?.body).get('q')).toBe('CREATE DATABASE "slip way" WITH DURATION 7d');
  });
});
