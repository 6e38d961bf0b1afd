import { setTimeout as delay } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { WorkflowClient } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { Kysely, PGliteDialect } from 'kysely';
import { Ledger } from '../../activities/ledger/client.ts';
import type { Tables } from '../../activities/ledger/tables.ts';
import type { EnvironmentTier } from '../../domain/environment.ts';
import type { Configuration } from '../../domain/schemas/config.ts';
import { createCentralActivities } from '../../workers/central-activities.ts';
import { SearchAttribute, TASK_QUEUE } from '../../workflows/contract.ts';
import { connectTemporal, type TemporalConnection } from '../temporal-connection.ts';
import { startTestServer } from '../test-server.ts';
import { installRuntime } from '../workflow-rig.ts';
import { ActivityTime } from './activity-time.ts';
import { createStandIns, type Processes } from './stand-ins.ts';
import { serveWorld, type WorldServers } from './world/servers.ts';
import type { World } from './world/world.ts';

/** Between two looks whether anything runs, and after how many that see nothing time should have been skipped. */
const LOOK_MS = 200;
const QUIET_LOOKS = 10;

/** A worker with the real workflows and activities, on a server that skips time, in a world that changes from run to run. */
export class SimulationRig {
  readonly client: WorkflowClient;
  readonly ledger: Ledger;
  readonly activityTime = new ActivityTime();
  private readonly env: TestWorkflowEnvironment;
  private readonly temporal: TemporalConnection;
  private readonly servers: WorldServers;
  private readonly activities: object;
  private worker: { readonly instance: Worker; readonly running: Promise<void> } | undefined;
  private inHand: { world: World; processes: Processes } | undefined;

  private constructor(
    env: TestWorkflowEnvironment,
    temporal: TemporalConnection,
    servers: WorldServers,
    ledger: Ledger,
  ) {
    this.env = env;
    this.temporal = temporal;
    this.servers = servers;
    this.ledger = ledger;
    this.client = new WorkflowClient({ connection: temporal.connection });
    this.activities = {
      ...createCentralActivities(configurationOf(servers), this.client, this.faultyLedger(), '/nowhere'),
      ...createStandIns(() => this.now()),
    };
  }

  static async start(ledger: Ledger): Promise<SimulationRig> {
    installRuntime();
    let rig: SimulationRig | undefined;
    const servers = await serveWorld(() => {
      if (!rig) throw new Error('there is no world yet');
      return rig.now().world;
    });
    const env = await startServer();
    rig = new SimulationRig(env, await connectTemporal(env.address), servers, ledger);
    return rig;
  }

  /** From now on this world answers. */
  enter(world: World, processes: Processes): void {
    this.inHand = { world, processes };
  }

  /** Starts a worker on a bundle; one that ran before is ended first. @param cached workflows kept between their tasks */
  async work(bundle: WorkflowBundleWithSourceMap, cached = 50): Promise<void> {
    await this.rest();
    const instance = await Worker.create({
      connection: this.env.nativeConnection,
      taskQueue: TASK_QUEUE,
      activities: this.activities,
      workflowBundle: bundle,
      workflowFailureErrorTypes: { '*': ['Error'] },
      maxHeartbeatThrottleInterval: '20ms',
      defaultHeartbeatThrottleInterval: '20ms',
      maxCachedWorkflows: cached,
      interceptors: { activity: [this.activityTime.interceptors] },
    });
    this.worker = { instance, running: instance.run() };
  }

  /**
   * Lets so much time pass, ms: at once, where nothing runs. An activity that is cancelled before a worker takes it leaves
   * the server in the belief that it runs, and no time is skipped any more: where nothing has run for long, and the server's
   * clock has gone no faster than the wall's, that is mended. Many short activities in a long time look like nothing, too.
   */
  async passTime(ms: number): Promise<void> {
    let ahead = await this.aheadOfWall();
    let passed = false;
    const passing = this.env.sleep(ms).finally(() => {
      passed = true;
    });
    for (let quiet = 0; !passed; ) {
      await Promise.race([passing, delay(LOOK_MS)]);
      quiet = this.activityTime.isIdle ? quiet + 1 : 0;
      if (quiet < QUIET_LOOKS || passed) continue;
      quiet = 0;
      const before = ahead;
      ahead = await this.aheadOfWall();
      if (!passed && ahead - before < LOOK_MS) await this.env.connection.testService?.unlockTimeSkipping({});
    }
    await passing;
  }

  /** The server's time, ms since 1970. */
  currentTime(): Promise<number> {
    return this.env.currentTimeMs();
  }

  private async aheadOfWall(): Promise<number> {
    return (await this.currentTime()) - Date.now();
  }

  async stop(): Promise<void> {
    await this.rest();
    await this.temporal.close();
    await this.env.teardown();
    await this.servers.close();
  }

  private async rest(): Promise<void> {
    const { worker } = this;
    if (!worker) return;
    this.worker = undefined;
    worker.instance.shutdown();
    await worker.running;
  }

  private now(): { world: World; processes: Processes } {
    if (!this.inHand) throw new Error('there is no world yet');
    return this.inHand;
  }

  /** The real ledger behind a connection that fails as the seed says, before or after its work. */
  private faultyLedger(): Ledger {
    const { ledger } = this;
    return new Proxy(ledger, {
      get: (target, name) => {
        if (name !== 'use') return Reflect.get(target, name);
        return async (work: Parameters<Ledger['use']>[0]) => {
          const { fault } = this.now().world.meet('ledger', 'ledger');
          if (fault !== undefined && !fault.endsWith('-applied')) throw new Error('the connection was refused');
          const result = await ledger.use(work);
          if (fault !== undefined) throw new Error('the connection was lost');
          return result;
        };
      },
    });
  }
}

/** The ledger in the memory of this process. */
export function memoryLedger(): Ledger {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: () => PGlite.create() }) });
  return new Ledger(db, async () => {});
}

async function startServer(): Promise<TestWorkflowEnvironment> {
  const path = process.env['TEMPORAL_TEST_SERVER_PATH'];
  if (!path) throw new Error('TEMPORAL_TEST_SERVER_PATH is not set: run the tests by make');
  const env = await startTestServer(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(SearchAttribute).map(({ name }) => [name, KEYWORD])),
  });
  return env;
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

/** Everything is where the simulated systems listen. What no activity under test reaches is nowhere. */
function configurationOf({ url, registry, balancers, dns }: WorldServers): Configuration {
  const environment = (tier: EnvironmentTier, name: string, port: number) => ({
    tier,
    marathon: { url: `${url}/marathon` },
    agentAttribute: `env:${name}`,
    balancer: { name: 'main', address: '127.0.0.1', port },
  });
  const nothing: [string] = ['true'];
  return {
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    consul: { url: `${url}/consul`, dns },
    registry: {
      address: registry,
      replicas: [registry],
      host: 'local',
      maintenance: { readOnly: nothing, collect: nothing, readWrite: nothing },
    },
    ledger: {},
    influx: { url: `${url}/influx`, database: 'slipway' },
    mesos: { master: url },
    balancers: { main: { runtime: balancers } },
    environments: {
      fat: environment('integration', 'fat', 8001),
      prod: { ...environment('production', 'prod', 8002), releasers: 'releasers' },
    },
    builder: { attribute: 'role:ci', command: nothing, docker: '/nowhere', cpus: 1, memoryMiB: 64, startSeconds: 60 },
    services: {},
    groups: { releasers: ['ann', 'bob', 'cat', 'dan'] },
    api: { listen: '127.0.0.1:1', url: 'http://127.0.0.1:1', tokens: [] },
    chat: { outbound: [] },
    schedules: {
      autoscale: { everySeconds: 5, windowSeconds: 5 },
      collectGarbage: { everySeconds: 86_400, graceSeconds: 3_600 },
    },
  };
}
