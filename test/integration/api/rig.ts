import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll } from '@jest/globals';
import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import { buildServer, type ServerOptions } from '../../../api/server.ts';
import { SearchAttribute, TASK_QUEUE } from '../../../workflows/contract.ts';
import { connectTemporal } from '../../temporal-connection.ts';
import { startTestServer } from '../../test-server.ts';

/** The API on a port of its own, over a real Temporal server and the stand-in workflows. */
export interface ApiRig {
  readonly url: string;
  readonly client: Client;
  readonly configuration: ServerOptions['configuration'];
  readonly secrets: { readonly chat: string; readonly chatBefore: string; readonly gitlab: string };
  /** Every line that the API logged, parsed. */
  readonly logs: readonly Record<string, unknown>[];
  /** Stops the clock of the API's signature checks at this second; undefined lets it go with the real one. */
  stopClock(atSecond: number | undefined): void;
  /** Does something while there is no worker. */
  withoutWorker(act: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Tokens of the rig, by who holds them. */
export const TOKENS = { ann: 'token-of-ann', bob: 'token-of-bob' } as const;

/** Of the test file that runs; set by `runApi`. */
export let rig: ApiRig;

/** An API runs while the tests of a file do. */
export function runApi(): void {
  beforeAll(async () => {
    rig = await startApiRig();
  });
  afterAll(() => rig?.stop());
}

/** @param activities what the worker takes besides the stand-in workflows */
export async function startApiRig(activities: object = {}): Promise<ApiRig> {
  const path = process.env['TEMPORAL_CLI_PATH'];
  if (!path)
    throw new Error('TEMPORAL_CLI_PATH is not set: run the tests by make, which installs the server and sets it');
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const env = await startTestServer(() =>
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        searchAttributes: Object.values(SearchAttribute),
        extraArgs: ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
      },
    }),
  );
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: new URL('./stand-in-workflows.ts', import.meta.url).pathname,
    logger: new DefaultLogger('WARN'),
  });
  let worker: Worker;
  let running: Promise<void>;
  async function startWorker(): Promise<void> {
    worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      activities,
      workflowBundle,
      workflowFailureErrorTypes: { '*': ['Error'] },
    });
    running = worker.run();
  }
  async function stopWorker(): Promise<void> {
    worker.shutdown();
    await running;
  }
  await startWorker();
  const { connection, close } = await connectTemporal(env.address);
  const client = new Client({ connection });

  const secrets = { chat: newSecret(), chatBefore: newSecret(), gitlab: newSecret() };
  const environment = (port: number, tier: 'integration' | 'production') => ({
    tier,
    marathon: { url: 'http://127.0.0.1:8080' },
    agentAttribute: 'env:any',
    balancer: { name: 'main', address: '127.0.0.1', port },
  });
  const configuration: ServerOptions['configuration'] = {
    api: {
      listen: '127.0.0.1:0',
      url: 'http://127.0.0.1:8090',
      tokens: Object.entries(TOKENS).map(([name, token]) => ({ name, token })),
    },
    chat: { inbound: { secret: secrets.chat, previousSecret: secrets.chatBefore }, outbound: [] },
    gitlab: { token: 'gitlab-token', signingSecret: secrets.gitlab },
    environments: { fat: environment(8001, 'integration'), prod: environment(8003, 'production') },
    services: {
      sample: { repository: 'https://git.example/team/sample.git', branch: 'main' },
      other: { repository: '/srv/other.git', branch: 'main' },
    },
  };

  const logs: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) logs.push(JSON.parse(line));
      done();
    },
  });
  let stoppedAt: number | undefined;
  const server = await buildServer({
    client,
    configuration,
    logger: pino(sink),
    nowSeconds: () => stoppedAt ?? Math.floor(Date.now() / 1000),
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    client,
    configuration,
    secrets,
    logs,
    stopClock: (atSecond) => {
      stoppedAt = atSecond;
    },
    withoutWorker: async (act) => {
      await stopWorker();
      await act().finally(startWorker);
    },
    stop: async () => {
      await server.close();
      await stopWorker();
      await close();
      await env.teardown();
    },
  };
}
