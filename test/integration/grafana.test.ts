/** `deploy/grafana/`: what is provisioned fits together, and every query of the dashboards finds the series we write. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { InfluxClient } from '../../activities/influx/client.ts';
import { influxServer } from '../../local/platform/influxdb.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { Supervisor } from '../../local/platform/supervisor.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';

jest.setTimeout(60_000);

const grafana = join(dirname(dirname(import.meta.dirname)), 'deploy', 'grafana');
const source = z.object({ type: z.literal('influxdb'), uid: z.string() });
const dashboardSchema = z.object({
  title: z.string(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), datasource: source, query: z.string() })) }),
  panels: z
    .array(
      z.object({
        title: z.string(),
        datasource: source,
        targets: z.array(z.object({ datasource: source, query: z.string() })).min(1),
      }),
    )
    .min(1),
});
const dashboards = readdirSync(join(grafana, 'dashboards')).map((file) =>
  dashboardSchema.parse(JSON.parse(readFileSync(join(grafana, 'dashboards', file), 'utf8'))),
);
const panels = dashboards.flatMap(({ panels: all }) =>
  all.flatMap(({ title, targets }) => targets.map(({ query }) => ({ title, query }))),
);
const variables = dashboards.flatMap(({ templating }) => templating.list);

const root = mkdtempSync(join(tmpdir(), 'slipway-grafana-'));
let supervisor: Supervisor;
let influx: InfluxClient;

/** The query as Grafana sends it. */
const filled = (query: string) =>
  query
    .replaceAll('$timeFilter', 'time >= now() - 10m and time <= now()')
    .replaceAll('$__interval', '10s')
    .replaceAll('$environment', 'prod')
    .replaceAll('$service', 'sample');

beforeAll(async () => {
  const toolbox = await ensureToolbox(['influxdb'], () => {});
  supervisor = await Supervisor.open({ dir: join(root, 'platform'), log: () => {} });
  const first = await freePortBlock(2);
  const server = influxServer(supervisor, {
    executable: toolbox.path('influxdb'),
    database: 'slipway',
    ports: { http: first, rpc: first + 1 },
  });
  await server.process.start();
  influx = new InfluxClient(server);
  const figures = { requests: 100, errors_5xx: 25, errors_conn: 2, latency_ms: 12.5, up: 3, sessions: 4, seconds: 1 };
  const now = Math.floor(Date.now() / 1000);
  const lines = ['r1', 'r2'].flatMap((revision) =>
    [3, 2, 1].map((ago) => {
      const fields = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
      return `balancer,environment=prod,service=sample,revision=${revision} ${fields.join(',')} ${now - ago}`;
    }),
  );
  const written = await fetch(`${server.url}/write?db=slipway&precision=s`, {
    method: 'POST',
    body: lines.join('\n'),
    signal: AbortSignal.timeout(30_000),
  });
  expect(written.status).toBe(204);
});

afterAll(async () => {
  await supervisor?.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('the dashboards', () => {
  it('read the source that is provisioned', () => {
    const provisioned = z
      .object({ datasources: z.array(z.object({ uid: z.string() })) })
      .parse(parse(readFileSync(join(grafana, 'provisioning/datasources/influxdb.yaml'), 'utf8')));
    const used = [...variables, ...dashboards.flatMap(({ panels: all }) => all)].map(
      ({ datasource }) => datasource.uid,
    );
    expect([...new Set(used)]).toEqual(provisioned.datasources.map(({ uid }) => uid));
  });

  it.each(variables)('offer a choice of $name', async ({ name, query }) => {
    const series = await influx.query(filled(query));
    const value = { environment: 'prod', service: 'sample' }[name];
    expect(series.flatMap(({ rows }) => rows)).toEqual([[name, value]]);
  });

  const expected: Readonly<Record<string, number>> = {
    'Requests per second': 100,
    'Share of 5xx answers': 0.25,
    'Connection errors per second': 2,
    'Mean latency': 12.5,
    'Instances up': 3,
    Sessions: 4,
  };

  it.each(panels)('show "$title" of each revision', async ({ title, query }) => {
    const series = await influx.query(filled(query));
    expect(series.map(({ tags }) => tags)).toEqual([{ revision: 'r1' }, { revision: 'r2' }]);
    for (const { rows } of series) {
      const values = new Set(rows.map(([, value]) => value).filter((value) => value !== null));
      expect([...values]).toEqual([expected[title]]);
    }
  });
});
