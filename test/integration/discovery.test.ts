import { rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createBalancerActivities } from '../../activities/balancer/activities.ts';
import { BoundNames } from '../../activities/dns/names.ts';
import { createInfluxActivities } from '../../activities/influx/activities.ts';
import { frontendAnswers } from '../../local/platform/balancer.ts';
import { until } from '../../local/platform/until.ts';
import { Collector } from '../../workers/discovery/collector.ts';
import { Registrar } from '../../workers/discovery/registrar.ts';
import { Instance, openTrafficRig, runActivity, send, type TrafficRig } from './traffic-rig.ts';

/** As much of a Marathon as discovery asks: the list of apps, and events that say no more than that something changed. */
class MarathonStandIn {
  readonly tasks: Record<string, { state: string; healthy: boolean; port: number; revision: string }> = {};
  failing = false;
  lists = 0;
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      if (request.url?.startsWith('/v2/events')) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(event('event_stream_attached'));
        this.#streams.add(response);
        response.on('close', () => this.#streams.delete(response));
        return;
      }
      this.lists += 1;
      if (this.failing) {
        response.writeHead(503).end('{"message":"no leader"}');
        return;
      }
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ apps: this.#apps() }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get listeners(): number {
    return this.#streams.size;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sends an event to all listeners. */
  tell(): void {
    for (const stream of this.#streams) stream.write(event('status_update_event'));
  }

  hangUp(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #apps(): unknown[] {
    const revisions = new Set(Object.values(this.tasks).map(({ revision }) => revision));
    return [...revisions].map((revision) => ({
      id: `/prod/web/${revision}`,
      instances: 1,
      labels: { 'slipway.service': 'web', 'slipway.environment': 'prod', 'slipway.revision': revision },
      healthChecks: [{ protocol: 'MESOS_HTTP', path: '/healthz' }],
      tasks: Object.entries(this.tasks)
        .filter(([, task]) => task.revision === revision)
        .map(([id, { state, healthy, port }]) => ({
          id,
          appId: `/prod/web/${revision}`,
          host: 'localhost',
          state,
          ports: [port],
          healthCheckResults: [{ alive: healthy }],
        })),
    }));
  }
}

const event = (eventType: string): string =>
  `event: ${eventType}\ndata: ${JSON.stringify({ eventType, timestamp: '2026-01-01T00:00:00Z' })}\n\n`;

const QUIET = { info: () => {}, warn: () => {} };

let rig: TrafficRig;
let marathon: MarathonStandIn;

beforeAll(async () => {
  rig = await openTrafficRig(['consul', 'haproxy', 'consul-template', 'influxdb']);
  marathon = new MarathonStandIn();
  await Promise.all([
    rig.consul.process.start(),
    rig.balancer.haproxy.start(),
    rig.influx.process.start(),
    marathon.start(),
  ]);
  await rig.balancer.consulTemplate.start();
}, 180_000);

afterAll(async () => {
  await marathon?.stop();
  await rig?.stop();
}, 30_000);

describe('the registrar', () => {
  const stop = new AbortController();
  let running: Promise<void>;
  let registrar: Registrar;

  beforeAll(async () => {
    registrar = new Registrar({
      consul: { url: rig.consul.url },
      marathons: [{ marathon: { url: marathon.url }, environments: ['prod'] }],
      frontends: { prod: `127.0.0.1:${rig.frontendPort}` },
      // Nothing here may depend on it.
      reconcileMs: 600_000,
      log: QUIET,
    });
    running = registrar.run(stop.signal);
    await until('discovery to listen', () => expect(marathon.listeners).toBe(1), { withinMs: 30_000 });
  });

  afterAll(async () => {
    stop.abort();
    await running;
  });

  const registered = async () =>
    (await rig.client.agentServices())
      .map(({ id }) => id)
      .filter((id) => id.startsWith('web:'))
      .toSorted();

  const willBe = (ids: string[], within = 30_000) =>
    until(`the registrations to be ${ids}`, async () => expect(await registered()).toEqual(ids), { withinMs: within });

  it('tells consul-template where the balancer of each environment listens', async () => {
    await until('the frontend to answer', () => frontendAnswers(rig.frontendPort), { withinMs: 45_000 });
  });

  it('registers an instance when it is healthy, and keeps it until it is told to end', async () => {
    marathon.tasks['web_r1.i-1'] = { state: 'TASK_RUNNING', healthy: false, port: 1001, revision: 'r1' };
    marathon.tasks['web_r1.i-2'] = { state: 'TASK_RUNNING', healthy: true, port: 1002, revision: 'r1' };
    marathon.tell();
    await willBe(['web:prod:web_r1.i-2']);
    // The agent tells the catalogue of it a moment later.
    await until(
      'the catalogue to have it',
      async () =>
        expect(await rig.client.serviceHealth('web', 'r1')).toMatchObject([
          {
            id: 'web:prod:web_r1.i-2',
            address: '127.0.0.1',
            port: 1002,
            tags: ['prod', 'r1'],
            meta: { environment: 'prod', revision: 'r1', task: 'web_r1.i-2', app: '/prod/web/r1', health: '/healthz' },
          },
        ]),
      { withinMs: 30_000 },
    );
    Object.assign(marathon.tasks['web_r1.i-1'], { healthy: true });
    Object.assign(marathon.tasks['web_r1.i-2'], { healthy: false });
    marathon.tell();
    await willBe(['web:prod:web_r1.i-1', 'web:prod:web_r1.i-2']);
    Object.assign(marathon.tasks['web_r1.i-2'], { state: 'TASK_KILLING' });
    marathon.tell();
    await willBe(['web:prod:web_r1.i-1']);
    delete marathon.tasks['web_r1.i-2'];
  }, 120_000);

  it('keeps everything while Marathon is away, and looks again when it is back', async () => {
    const task = { state: 'TASK_RUNNING', healthy: true, port: 1003, revision: 'r2' };
    marathon.failing = true;
    delete marathon.tasks['web_r1.i-1'];
    marathon.hangUp();
    const asked = marathon.lists;
    await until('a pass', () => expect(marathon.lists).toBeGreaterThan(asked + 1), { withinMs: 45_000 });
    expect(await registered()).toEqual(['web:prod:web_r1.i-1']);
    marathon.tasks['web_r2.i-3'] = task;
    marathon.failing = false;
    // No event tells of it: only that the connection is new.
    await willBe(['web:prod:web_r2.i-3']);
  }, 120_000);

  it('leaves services of others alone', async () => {
    await rig.client.registerService({ id: 'db', name: 'db', tags: [], meta: {}, address: '127.0.0.1', port: 5432 });
    expect(await registrar.reconcile()).toEqual({ registered: [], deregistered: [] });
    expect((await rig.client.agentServices()).map(({ id }) => id)).toContain('db');
    await rig.client.deregisterService('db');
  });

  it('puts back what somebody else takes away, at once', async () => {
    const own = (await rig.client.agentServices()).find(({ id }) => id === 'web:prod:web_r2.i-3');
    if (own === undefined) throw new Error('it is not registered');
    // It is seen by the catalogue, and at most once a second: what came and went in between was never there. Then again.
    await until(
      'it to be put back',
      async () => {
        await rig.client.registerService(own);
        await until(
          'the catalogue to have it',
          async () => expect(await rig.client.serviceHealth('web', 'r2')).toHaveLength(1),
          { withinMs: 30_000 },
        );
        await rig.client.deregisterService(own.id);
        await willBe([own.id], 4_000);
      },
      { withinMs: 90_000 },
    );
  }, 150_000);

  it('registers everything again in a Consul that has lost it all', async () => {
    const names = new BoundNames(rig.client);
    await names.bind({ environment: 'prod', service: 'web', address: '127.0.0.1', port: rig.frontendPort });
    await rig.consul.process.kill9();
    rmSync(join(rig.data, 'consul', 'store', 'services'), { recursive: true });
    rmSync(join(rig.data, 'consul', 'store', 'checks'), { recursive: true });
    await rig.consul.process.start();
    await willBe(['web:prod:web_r2.i-3'], 45_000);
    await until(
      'the name to be back',
      async () => expect((await rig.client.agentServices()).map(({ id }) => id)).toContain('name:prod:web'),
      { withinMs: 30_000 },
    );
    await names.unbind({ environment: 'prod', service: 'web' });

    await rig.consul.process.kill9();
    rmSync(join(rig.data, 'consul', 'store'), { recursive: true });
    await rig.consul.process.start();
    await willBe(['web:prod:web_r2.i-3'], 45_000);
    await until(
      'the frontend to be declared',
      async () => expect(await rig.client.kvGet('slipway/balancer/prod')).toBeDefined(),
      { withinMs: 30_000 },
    );
    delete marathon.tasks['web_r2.i-3'];
    marathon.tell();
    await willBe([]);
  }, 240_000);
});

describe('the collector', () => {
  const WEB = { environment: 'prod', service: 'web' };
  const instances: Instance[] = [];
  const controllers: AbortController[] = [];

  afterEach(() => {
    for (const controller of controllers.splice(0)) controller.abort();
  });

  afterAll(async () => {
    for (const one of instances) await one.die();
  });

  it('writes what the balancer counts, each second, also what it counted while InfluxDB was away', async () => {
    for (const [revision, task] of [
      ['r1', 'a'],
      ['r2', 'b'],
    ] as const) {
      const one = await new Instance(revision, task).start();
      instances.push(one);
      await one.register(rig.client);
    }
    const { setTraffic } = createBalancerActivities({
      consul: { url: rig.consul.url },
      environments: { prod: [rig.balancer.runtime] },
    });
    await runActivity(setTraffic, {
      ...WEB,
      shares: { r1: 75, r2: 25 },
      servers: { r1: 1, r2: 1 },
      healthPath: '/healthz',
      deadlineSeconds: 60,
    });

    const figures = createInfluxActivities({ url: rig.influx.url, database: 'fresh' });
    const stop = new AbortController();
    controllers.push(stop);
    const from = new Date(Date.now() - 5_000).toISOString();
    const collector = new Collector({
      balancers: [rig.balancer.runtime],
      influx: { url: rig.influx.url, database: 'fresh' },
      log: QUIET,
    });
    const read = async () =>
      figures.readRevisionWindows({ ...WEB, revisions: ['r1', 'r2'], from, to: new Date().toISOString() });
    const begunAt = performance.now();
    const running = collector.run(stop.signal);
    // The first reading sets the start; what is counted from then on is written.
    await until('a first sample', async () => expect((await read())['r1']?.samples).toBeGreaterThan(0), {
      withinMs: 45_000,
    });

    for (let count = 0; count < 80; count += 1)
      await send(rig.frontendPort, { path: count % 4 === 0 ? '/error' : '/' });
    await until(
      'all requests to be written',
      async () => {
        const { r1, r2 } = await read();
        expect((r1?.requests ?? 0) + (r2?.requests ?? 0)).toBe(80);
        expect((r1?.errors5xx ?? 0) + (r2?.errors5xx ?? 0)).toBe(20);
        expect(r1?.requests).toBe(instances[0]?.requests);
        expect(r1?.errorsConnection).toBe(0);
        // A sample for each second, or for some where a busy machine has missed one.
        expect(r1?.seconds).toBeGreaterThan((r1?.samples ?? 0) - 1);
        expect(r1?.seconds).toBeLessThanOrEqual((performance.now() - begunAt) / 1000);
      },
      { withinMs: 30_000 },
    );

    await rig.influx.process.kill9();
    for (let count = 0; count < 40; count += 1) await send(rig.frontendPort, {});
    await rig.influx.process.start();
    await until(
      'what was counted meanwhile to be written',
      async () => {
        const { r1, r2 } = await read();
        expect((r1?.requests ?? 0) + (r2?.requests ?? 0)).toBe(120);
      },
      { withinMs: 45_000 },
    );
    const rates = await figures.readServiceRates({ windowSeconds: 3600 });
    expect(rates).toMatchObject([{ ...WEB, seconds: expect.any(Number) }]);
    expect(rates[0]?.requestsPerSecond).toBeCloseTo(120 / (rates[0]?.seconds ?? 0), 6);
    stop.abort();
    await running;
  }, 240_000);
});
