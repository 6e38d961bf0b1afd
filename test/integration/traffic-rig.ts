import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { ConsulClient } from '../../activities/consul/client.ts';
import { type Balancer, balancer } from '../../local/platform/balancer.ts';
import { type ConsulServer, consulServer } from '../../local/platform/consul.ts';
import { type InfluxServer, influxServer } from '../../local/platform/influxdb.ts';
import { freePort } from '../../local/platform/ports.ts';
import { Supervisor } from '../../local/platform/supervisor.ts';
import { ensureToolbox, type PartName } from '../../local/toolbox/toolbox.ts';

/** Real Consul, HAProxy with consul-template, and InfluxDB on loopback; each is started by the test that needs it. */
export interface TrafficRig {
  readonly consul: ConsulServer;
  readonly balancer: Balancer;
  readonly influx: InfluxServer;
  /** A client of the Consul. */
  readonly client: ConsulClient;
  /** Port of the frontend of environment `prod`, once it is declared. */
  readonly frontendPort: number;
  /** Where the processes keep their data. */
  readonly data: string;
  /** What the processes wrote that ended although nobody asked for it. */
  readonly endings: readonly string[];
  stop(): Promise<void>;
}

/** Makes the processes ready to be started. @param parts programs that the test will start */
export async function openTrafficRig(parts: readonly PartName[]): Promise<TrafficRig> {
  const toolbox = await ensureToolbox(parts, () => {});
  const path = (part: PartName): string => (parts.includes(part) ? toolbox.path(part) : '/nonexistent');
  const dir = mkdtempSync(join(tmpdir(), 'slipway-traffic-'));
  const endings: string[] = [];
  const supervisor = await Supervisor.open({ dir, log: (line) => endings.push(line) });
  const consul = consulServer(supervisor, {
    executable: path('consul'),
    ports: { http: await freePort(), dns: await freePort(), server: await freePort(), serf: await freePort() },
  });
  const influx = influxServer(supervisor, {
    executable: path('influxdb'),
    database: 'figures',
    ports: { http: await freePort(), rpc: await freePort() },
  });
  const traffic = balancer(supervisor, {
    haproxy: path('haproxy'),
    consulTemplate: path('consul-template'),
    consulUrl: consul.url,
    runtimePort: await freePort(),
  });
  const client = new ConsulClient({ url: consul.url });
  return {
    consul,
    influx,
    balancer: traffic,
    client,
    frontendPort: await freePort(),
    data: supervisor.directories.data,
    endings,
    stop: async () => {
      client.close();
      await supervisor.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Runs an activity as a worker would, with a context to heartbeat to. */
export function runActivity<In, Out>(activity: (input: In) => Promise<Out>, input: In): Promise<Out> {
  // Failures are what some tests look for; they are not to be logged as news.
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, input);
}

/** A small HTTP service that can be made ill, slow, or dead. */
export class Instance {
  readonly revision: string;
  readonly task: string;
  /** Status of its health check. */
  health = 200;
  /** Requests that wait until this is resolved; undefined: none does. */
  hold: Promise<void> | undefined;
  requests = 0;
  /** Health checks wait until this is resolved; undefined: none does. */
  holdChecks: Promise<void> | undefined;
  /** Health checks that have no answer yet. */
  checksUnderWay = 0;
  readonly #server: Server;

  constructor(revision: string, task: string) {
    this.revision = revision;
    this.task = task;
    this.#server = createServer((incoming, response) => {
      if (incoming.url === '/healthz') {
        this.checksUnderWay += 1;
        response.once('close', () => {
          this.checksUnderWay -= 1;
        });
        const answer = () => response.writeHead(this.health).end();
        if (this.holdChecks === undefined) answer();
        else this.holdChecks.then(answer);
        return;
      }
      this.requests += 1;
      const answer = () =>
        response.writeHead(incoming.url === '/error' ? 500 : 200).end(`${this.revision} ${this.task}`);
      if (this.hold === undefined) answer();
      else this.hold.then(answer);
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Ends what runs and closes, as a service does on SIGTERM. */
  async stop(): Promise<void> {
    this.#server.closeIdleConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeIdleConnections();
    });
  }

  /** Is gone at once with every connection, as on SIGKILL. */
  async die(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Registers it as the discovery process would. */
  async register(client: ConsulClient, environment = 'prod', service = 'web'): Promise<void> {
    const { revision, task } = this;
    await client.registerService({
      id: `${service}:${environment}:${task}`,
      name: service,
      tags: [environment, revision],
      meta: { environment, revision, task, app: `/${environment}/${service}/${revision}`, health: '/healthz' },
      address: '127.0.0.1',
      port: this.port,
    });
  }
}

/** An answer that came through the balancer. */
export interface Answer {
  readonly status: number;
  readonly revision: string | undefined;
  readonly body: string;
}

/** Sends one request through the balancer. */
export function send(
  port: number,
  options: { readonly host?: string; readonly path?: string; readonly method?: string; readonly agent?: Agent | false },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        port,
        host: '127.0.0.1',
        path: options.path ?? '/',
        method: options.method ?? 'GET',
        agent: options.agent ?? false,
        headers: { Host: options.host ?? 'web-prod.service.consul' },
        timeout: 60_000,
      },
      (incoming: IncomingMessage) => {
        const revision = incoming.headers['x-slipway-revision'];
        let body = '';
        incoming.on('data', (chunk) => {
          body += chunk;
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            revision: typeof revision === 'string' ? revision : undefined,
            body,
          }),
        );
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 60 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** The balancer closes idle connections after 10 s; a client that was stalled must not use one that is as old. */
const IDLE_MS = 5_000;

/** Load through the balancer: loops over kept connections and over a new connection for each request, until stopped. */
export class Load {
  readonly answers: Record<string, number> = {};
  readonly failures: string[] = [];
  requests = 0;
  readonly #agents: readonly Agent[];
  readonly #loops: readonly Promise<void>[];
  #stopped = false;

  constructor(port: number, loops: { readonly kept: number; readonly fresh: number }) {
    this.#agents = Array.from({ length: loops.kept }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const agents = [...this.#agents, ...Array.from({ length: loops.fresh }, () => false as const)];
    this.#loops = agents.map((agent) => this.#loop(port, agent));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    for (const agent of this.#agents) agent.destroy();
  }

  async #loop(port: number, agent: Agent | false): Promise<void> {
    let answeredAt = performance.now();
    while (!this.#stopped) {
      this.requests += 1;
      if (agent !== false && performance.now() - answeredAt > IDLE_MS) agent.destroy();
      try {
        const { status, revision, body } = await send(port, { agent });
        if (status === 200) this.answers[revision ?? ''] = (this.answers[revision ?? ''] ?? 0) + 1;
        else this.failures.push(`${status} ${body}`);
      } catch (error) {
        this.failures.push(`${agent === false ? 'fresh' : 'kept'}: ${error instanceof Error ? error.message : error}`);
      }
      answeredAt = performance.now();
      // A pause as of a client that thinks: connections are idle at times, which is when reloads can hurt them.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
