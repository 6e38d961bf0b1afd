/** A cell with a thousand apps. */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../test/integration/mesos-until.ts';
import { type OwnCell, startOwnCell } from './own-cell.ts';

const APPS = 1000;
const TASKS_PER_APP = 3;
const MOST_DEPLOYMENTS = 50;
const LOADED_WITHIN_MS = 300_000;
const QUIET_WITHIN_MS = 60_000;

export interface LoadedCell extends OwnCell {
  readonly apps: number;
  readonly tasks: number;
  readonly loadSeconds: number;
  /** Milliseconds that each of so many reads of everything took, one after the other. */
  readAll(times: number): Promise<readonly number[]>;
  /** Share of one core that the cell uses when nobody asks anything, in percent. */
  idlePercent(seconds: number): Promise<number>;
}

export const orderedId = (index: number): string => `/bench/g${index % 20}/app-${index}`;

export async function loadedCell(): Promise<LoadedCell> {
  const cell = await startOwnCell({
    runTasks: false,
    // Nothing listens there, so agents may share ports with each other and with the machine.
    agents: ['a', 'b', 'c'].map((name) => ({
      name,
      attributes: `env:${name}`,
      cpus: 1000,
      mem: 1_000_000,
      portRange: [31_000, 35_999],
    })),
  });
  try {
    const started = performance.now();
    for (let index = 0; index < APPS; index += 1) {
      await orderApp(cell, index);
      // Marathon refuses more than a hundred deployments at once.
      if (index % MOST_DEPLOYMENTS === MOST_DEPLOYMENTS - 1) await noDeployment(cell);
    }
    const tasks = APPS * TASKS_PER_APP;
    await until(`${tasks} tasks run`, LOADED_WITHIN_MS, async () => (await running(cell)) === tasks);
    const loadSeconds = Math.round((performance.now() - started) / 100) / 10;
    return { ...cell, apps: APPS, tasks, loadSeconds, readAll: (times) => readAll(cell, times), idlePercent };
  } catch (error) {
    await cell.stop();
    throw error;
  }

  async function idlePercent(seconds: number): Promise<number> {
    await noDeployment(cell);
    const before = cell.cpuSeconds();
    const from = performance.now();
    await pause(seconds * 1000);
    const share = (cell.cpuSeconds() - before) / ((performance.now() - from) / 1000);
    return Math.round(share * 10_000) / 100;
  }
}

function orderApp(cell: OwnCell, index: number): Promise<unknown> {
  return cell.client.createApp({
    id: orderedId(index),
    cmd: 'exec serve',
    cpus: 0.1,
    mem: 32,
    instances: TASKS_PER_APP,
    labels: { 'slipway.service': `app-${index}`, consul: 'true', team: `team-${index % 30}` },
    env: { PROFILE: 'bench', POOL: '12' },
    portDefinitions: [{ port: 0, name: 'http' }],
  });
}

function noDeployment({ client }: OwnCell): Promise<boolean> {
  return until('no deployment runs', QUIET_WITHIN_MS, async () => (await client.deployments()).length === 0);
}

async function running(cell: OwnCell): Promise<number> {
  const apps = await cell.client.listApps({});
  return apps.reduce((sum, { tasksRunning }) => sum + (tasksRunning ?? 0), 0);
}

async function readAll({ url }: OwnCell, times: number): Promise<readonly number[]> {
  const took: number[] = [];
  for (let read = 0; read < times; read += 1) {
    const started = performance.now();
    const answer = await fetch(`${url}/v2/apps?embed=apps.tasks`);
    await answer.arrayBuffer();
    took.push(performance.now() - started);
  }
  return took;
}
