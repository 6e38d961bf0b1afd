import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createInfluxActivities, type InfluxActivities } from '../../activities/influx/activities.ts';
import { InfluxClient } from '../../activities/influx/client.ts';
import { integer, type Point } from '../../activities/influx/line-protocol.ts';
import { NO_FIGURES } from '../../domain/judge/inputs.ts';
import { openTrafficRig, type TrafficRig } from './traffic-rig.ts';

let rig: TrafficRig;
let influx: InfluxClient;
let activities: InfluxActivities;

beforeAll(async () => {
  rig = await openTrafficRig(['influxdb']);
  await rig.influx.process.start();
  const options = { url: rig.influx.url, database: 'figures' };
  influx = new InfluxClient(options);
  await influx.createDatabase(7);
  await influx.createDatabase(7);
  activities = createInfluxActivities(options);
}, 120_000);

afterAll(() => rig?.stop(), 60_000);

const now = () => Math.floor(Date.now() / 1000);
const iso = (second: number) => new Date(second * 1000).toISOString();

describe('line protocol', () => {
  it('comes back as it was written', async () => {
    const tags = { plain: 'a', 'k =,': 'v =,', back: 'b\\c', text: 'ä' };
    const second = now();
    await influx.write([{ measurement: 'm ,=', tags, fields: { whole: integer(7), 'half =,': 0.5 }, second }]);
    const [series] = await influx.query('SELECT * FROM "m ,=" GROUP BY *');
    expect(series?.tags).toEqual(tags);
    expect(series?.columns).toEqual(['time', 'half =,', 'whole']);
    expect(series?.rows).toEqual([[second, 0.5, 7]]);
  });

  it('may be repeated', async () => {
    const points: Point[] = [{ measurement: 'again', tags: {}, fields: { n: integer(1) }, second: now() }];
    await influx.write(points);
    await influx.write(points);
    expect((await influx.query('SELECT count(n) FROM again'))[0]?.rows[0]?.[1]).toBe(1);
  });

  it('keeps the good points when one is refused', async () => {
    const point = (second: number, n: Point['fields'][string]): Point => ({
      measurement: 'mixed',
      tags: {},
      fields: { n },
      second,
    });
    const second = now();
    await influx.write([point(second, integer(1))]);
    // A field has one type for ever.
    const result = await influx.write([point(second - 1, 0.5), point(second - 2, integer(2))]);
    expect(result).toMatchObject({ dropped: 1, reason: expect.stringContaining('field type conflict') });
    // Older than the retention.
    const old = await influx.write([point(second - 30 * 86_400, integer(3)), point(second - 3, integer(4))]);
    expect(old).toMatchObject({ dropped: 1, reason: expect.stringContaining('retention policy') });
    expect((await influx.query('SELECT sum(n) FROM mixed'))[0]?.rows[0]?.[1]).toBe(7);
  });

  it('does not read a value as part of a query', async () => {
    const where = 'SELECT * FROM mixed WHERE x = $x';
    expect(await influx.query(where, { x: "' OR '1' = '1" })).toEqual([]);
    await expect(influx.query('SELECT')).rejects.toMatchObject({ type: 'SystemRefused', nonRetryable: true });
  });
});

describe('figures', () => {
  const start = now() - 100;

  const sample = (
    second: number,
    tags: { environment: string; service: string; revision: string },
    requests: number,
    more: { errors?: number; latency?: number; seconds?: number } = {},
  ): Point => ({
    measurement: 'balancer',
    tags,
    fields: {
      requests: integer(requests),
      errors_5xx: integer(more.errors ?? 0),
      errors_conn: integer(0),
      seconds: more.seconds ?? 1,
      ...(more.latency === undefined ? {} : { latency_ms: more.latency }),
    },
    second,
  });
  const r1 = { environment: 'prod', service: 'web', revision: 'r1' };
  const r2 = { ...r1, revision: 'r2' };
  const idle = { ...r1, service: 'idle' };

  beforeAll(async () => {
    const points: Point[] = [];
    for (let second = 1; second <= 10; second += 1) {
      points.push(sample(start + second, r1, 90, { errors: 1, latency: second <= 5 ? 10 : 20 }));
      points.push(sample(start + second, idle, 0));
      if (second > 5) points.push(sample(start + second, r2, 10, { errors: 2 }));
    }
    points.push(sample(start + 12, r1, 180, { seconds: 2, latency: 20 }));
    points.push(sample(start + 6, { ...r2, environment: 'fat' }, 1_000));
    await influx.write(points);
  });

  it('are added up for each revision over a window', async () => {
    const window = { environment: 'prod', service: 'web', revisions: ['r1', 'r2', 'r9'] };
    expect(await activities.readRevisionWindows({ ...window, from: iso(start), to: iso(start + 10) })).toEqual({
      r1: { requests: 900, errors5xx: 10, errorsConnection: 0, latencyMs: 15, seconds: 10, samples: 10 },
      r2: { requests: 50, errors5xx: 10, errorsConnection: 0, seconds: 5, samples: 5 },
      r9: { requests: 0, errors5xx: 0, errorsConnection: 0, seconds: 0, samples: 0 },
    });
    // The sample at the start is of the second before it; the one at the end belongs to the window.
    const { r1: part } = await activities.readRevisionWindows({ ...window, from: iso(start + 9), to: iso(start + 12) });
    expect(part).toMatchObject({ requests: 270, seconds: 3, samples: 2 });
    const wrong = activities.readRevisionWindows({ ...window, from: 'yesterday', to: iso(start) });
    await expect(wrong).rejects.toMatchObject({ type: 'RequestInvalid', nonRetryable: true });
  });

  it('are read interval by interval, side by side', async () => {
    const window = { environment: 'prod', service: 'web', canary: 'r2', baseline: 'r1' };
    const read = { ...window, from: iso(start), to: iso(start + 10), intervalSeconds: 1, timings: false };
    const { intervals, timings } = await activities.readCanaryFigures(read);
    expect(timings).toBeUndefined();
    expect(intervals).toHaveLength(10);
    expect(intervals[4]).toEqual({
      canary: { requests: 0, errors: 0, seconds: 0, latencyMs: null },
      baseline: { requests: 90, errors: 1, seconds: 1, latencyMs: 10 },
    });
    expect(intervals[5]).toEqual({
      canary: { requests: 10, errors: 2, seconds: 1, latencyMs: null },
      baseline: { requests: 90, errors: 1, seconds: 1, latencyMs: 20 },
    });
    // However wide the intervals are, nothing is lost and nothing counts twice.
    for (const intervalSeconds of [3, 60]) {
      const { intervals: wider } = await activities.readCanaryFigures({ ...read, intervalSeconds });
      const sum = (side: 'canary' | 'baseline') =>
        wider.reduce((total, { [side]: { requests } }) => total + requests, 0);
      expect([sum('canary'), sum('baseline')]).toEqual([50, 900]);
    }
    const beside = await activities.readCanaryFigures({ ...read, baseline: 'r9', others: 'r1' });
    expect(beside.intervals.slice(4, 6)).toEqual([
      { canary: NO_FIGURES, baseline: NO_FIGURES, others: intervals[4]?.baseline },
      { canary: intervals[5]?.canary, baseline: NO_FIGURES, others: intervals[5]?.baseline },
    ]);
    const alone = await activities.readCanaryFigures({ ...read, baseline: null });
    expect(alone.intervals).toHaveLength(5);
    expect(alone.intervals[0]).toEqual({ canary: intervals[5]?.canary, baseline: NO_FIGURES });
    const wrong = activities.readCanaryFigures({ ...read, intervalSeconds: 0 });
    await expect(wrong).rejects.toMatchObject({ type: 'RequestInvalid', nonRetryable: true });
  });

  it('have the times of single answers beside them, where somebody writes them', async () => {
    const read = {
      environment: 'prod',
      service: 'web',
      canary: 'r2',
      baseline: 'r1',
      from: iso(start),
      to: iso(start + 10),
      intervalSeconds: 1,
      timings: true,
    };
    expect((await activities.readCanaryFigures(read)).timings).toEqual({ canary: [], baseline: [] });
    await influx.write([
      { measurement: 'timings', tags: r1, fields: { ms: 12.5 }, second: start + 1 },
      { measurement: 'timings', tags: r1, fields: { ms: 9 }, second: start + 2 },
      { measurement: 'timings', tags: r2, fields: { ms: 40 }, second: start + 3 },
      { measurement: 'timings', tags: r2, fields: { ms: 41 }, second: start + 11 },
    ]);
    expect((await activities.readCanaryFigures(read)).timings).toEqual({ canary: [40], baseline: [12.5, 9] });
  });

  it('give the load of every service by the seconds that were counted', async () => {
    const rates = await activities.readServiceRates({ windowSeconds: 3600 });
    expect(rates.toSorted((a, b) => (a.environment + a.service < b.environment + b.service ? -1 : 1))).toEqual([
      { environment: 'fat', service: 'web', requestsPerSecond: 1_000, seconds: 1 },
      { environment: 'prod', service: 'idle', requestsPerSecond: 0, seconds: 10 },
      { environment: 'prod', service: 'web', requestsPerSecond: (900 + 50 + 180) / 12, seconds: 12 },
    ]);
    expect(await activities.readServiceRates({ windowSeconds: 5 })).toEqual([]);
  });
});
