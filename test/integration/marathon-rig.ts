import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { marathonEvents } from '../../activities/marathon/events.ts';
import type { MarathonApp, MarathonEvent, MarathonTask } from '../../activities/marathon/types.ts';
import { freePort } from '../../local/platform/ports.ts';
import type { AgentSetup } from '../mesos-rig/mesos-under-test.ts';
import { until } from './mesos-until.ts';

/** A Marathon as a process of its own that can be killed and started again. */
export interface MarathonRig {
  readonly url: string;
  readonly client: MarathonClient;
  /** A request as it is: the client would judge the answer. */
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Kills Marathon with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and state. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '../..');

/** The agents that the Marathon suites run on. */
export const MARATHON_AGENTS: readonly AgentSetup[] = [
  { name: 'prod-1', attributes: 'env:prod;rack:r1', mem: 2048 },
  { name: 'fat-1', attributes: 'env:fat;rack:r2', mem: 2048 },
];

/** Starts the embedded Marathon on any Mesos; resolves when it is registered there. */
export async function startRig(mesos: { readonly masterUrl: string }): Promise<MarathonRig> {
  const stateDir = mkdtempSync(join(tmpdir(), 'marathon-rig-'));
  const marathonPort = await freePort();
  const url = `http://127.0.0.1:${marathonPort}`;
  const client = new MarathonClient({ url });
  let marathon = await startProcess(mesos.masterUrl, marathonPort, stateDir);
  const end = async (signal: NodeJS.Signals) => {
    if (marathon.exitCode !== null || marathon.signalCode !== null) return;
    const exited = once(marathon, 'exit');
    marathon.kill(signal);
    await exited;
  };
  await until('Marathon is registered with Mesos', 60_000, async () => (await client.info()).frameworkId);
  return {
    url,
    client,
    call: async (method, path, body) => {
      const answer = await fetch(url + path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    kill: () => end('SIGKILL'),
    restart: async () => {
      marathon = await startProcess(mesos.masterUrl, marathonPort, stateDir);
    },
    stop: async () => {
      await end('SIGTERM');
      rmSync(stateDir, { recursive: true });
    },
  };
}

/**
 * One Marathon for all tests of a suite, each of which finds it empty and must leave no task.
 * @param mesos asked for when the suite begins
 * @param tell called when it has started
 */
export function useRig(mesos: () => { readonly masterUrl: string }, tell: (rig: MarathonRig) => void): void {
  let rig: MarathonRig | undefined;
  beforeAll(async () => {
    rig = await startRig(mesos());
    tell(rig);
  });
  afterAll(() => rig?.stop());
  afterEach(async () => {
    await rig?.call('DELETE', '/v2/groups?force=true');
    await until('nothing is left', 40_000, async () => (await rig?.client.deployments())?.length === 0);
    expect(await rig?.client.listAllTasks()).toEqual([]);
  });
}

async function startProcess(master: string, port: number, state: string): Promise<ChildProcess> {
  const args = ['cell/marathon/main.ts', '--master', master, '--port', String(port), '--state', state];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`Marathon ended with ${code} before it was ready`);
  });
  await Promise.race([once(lines, 'line'), exited]);
  exited.catch(() => undefined);
  return child;
}

/**
 * A small web server as an app's command. `/break` turns its answers to 500, `/exit` ends it. With `refusals` it answers
 * so many requests by 503, or until somebody asks for `/ready`.
 */
export function webCommand(options: { readonly refusals?: number } = {}): string {
  const script = `
    let broken = false;
    let refusals = ${options.refusals ?? 0};
    require("http").createServer((request, response) => {
      if (request.url === "/break") broken = true;
      if (request.url === "/exit") process.exit(1);
      if (request.url === "/ready") refusals = 0;
      response.statusCode = broken ? 500 : refusals > 0 ? 503 : 200;
      refusals -= 1;
      response.end(process.env.MARATHON_APP_VERSION);
    }).listen(process.env.PORT0, "127.0.0.1");`;
  return `exec '${process.execPath}' -e '${script.replaceAll(/\s+/g, ' ')}'`;
}

export const SLEEP = { cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 } as const;

/** A web server that is looked at every second. */
export const web = (protocol: 'HTTP' | 'MESOS_HTTP', more: object = {}) => ({
  cmd: webCommand(),
  cpus: 0.1,
  mem: 32,
  portDefinitions: [{ port: 0, name: 'http' }],
  healthChecks: [
    {
      protocol,
      path: '/',
      portIndex: 0,
      gracePeriodSeconds: 20,
      intervalSeconds: 1,
      // One failure is enough, and a busy machine may keep a server waiting for seconds.
      timeoutSeconds: 20,
      maxConsecutiveFailures: 1,
      delaySeconds: 0,
    },
  ],
  ...more,
});

/** The app, once it has so many tasks and no deployment, all of them running, or healthy where they are looked at. */
export function settled(client: MarathonClient, id: string, tasks: number): Promise<MarathonApp> {
  return until(`${id} has ${tasks} tasks and rests`, 45_000, async () => {
    const app = await client.getApp(id);
    if (!app || app.tasks.length !== tasks || app.deployments.length > 0) return undefined;
    const fit = app.healthChecks.length > 0 ? app.tasksHealthy : app.tasksRunning;
    return fit === tasks ? app : undefined;
  });
}

export const taskIds = (app: { readonly tasks: readonly MarathonTask[] }) => app.tasks.map(({ id }) => id).toSorted();

/** Asks a task's own server; undefined when nobody is there, or nobody answers for long. */
export function ask(task: { readonly ports: readonly number[] }, path = '/'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: task.ports[0], path, agent: false, timeout: 20_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
}

/** Writes down events until it is stopped. */
export async function recordEvents(url: string): Promise<{ readonly events: MarathonEvent[]; stop(): Promise<void> }> {
  const events: MarathonEvent[] = [];
  const controller = new AbortController();
  const attached = Promise.withResolvers<void>();
  const loop = (async () => {
    for await (const event of marathonEvents({ url, signal: controller.signal })) {
      events.push(event);
      attached.resolve();
    }
  })();
  await Promise.race([attached.promise, loop]);
  return {
    events,
    stop: async () => {
      controller.abort();
      await loop;
    },
  };
}
