/** The whole cell is killed with SIGKILL in the middle of things, and goes on where it was. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { CellDirectory, type KeptOptions } from '../../cell/directory.ts';
import { FaultClient } from '../../cell/faults/client.ts';
import { down, up } from '../../cell/launcher.ts';
import { containersBelow, processesOf } from '../../cell/mesos/processes.ts';
import { freePort, freePortBlock } from '../../local/platform/ports.ts';
import { SLEEP, settled, taskIds } from '../integration/marathon-rig.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from '../integration/mesos-engine.ts';
import { until } from '../integration/mesos-until.ts';

jest.setTimeout(180_000);

let engine: TestEngine;
let directory: string;
/** For what tests and their tasks tell each other. */
let scratch: string;
let options: KeptOptions;
let pid: number;
let mesosUrl: string;
let client: MarathonClient;
let faults: FaultClient;

beforeAll(async () => {
  engine = await testEngine();
  directory = mkdtempSync(join(tmpdir(), 'cell-killed-'));
  scratch = mkdtempSync(join(tmpdir(), 'cell-killed-go-'));
  const first = await freePortBlock(60);
  const agent = (name: string, from: number) => ({
    name,
    cpus: 8,
    mem: 4096,
    portRange: [from, from + 29] as [number, number],
  });
  options = {
    faults: true,
    marathon: { port: await freePort() },
    mesos: {
      port: await freePort(),
      docker: { socketPath: engine.socketPath },
      agents: [agent('one', first), agent('two', first + 30)],
      allocationIntervalMs: 100,
      stopGraceMs: 300,
    },
  };
  await start();
}, 120_000);
afterAll(async () => {
  await down(directory, { keep: false });
  await engine?.stop();
  rmSync(scratch, { recursive: true });
});
afterEach(async () => {
  await faults.clear();
  for (const { id } of await client.listApps()) await client.deleteApp(id);
  await until('nothing is left', 60_000, async () => (await client.deployments()).length === 0);
  await until('nothing runs', 30_000, async () => (await live()) === 0);
});

async function start(): Promise<void> {
  const { running } = await up(directory, options);
  ({ pid, mesosUrl } = running);
  client = new MarathonClient({ url: running.marathonUrl });
  faults = new FaultClient(running.marathonUrl);
}

async function kill(): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until('it is dead', 30_000, () => new CellDirectory(directory).process() === undefined);
}

/** Kills the cell and starts it again; fault switches are forgotten with the process. */
async function crash(): Promise<void> {
  await kill();
  await start();
}

/** Everything of the cell that exists on this machine: containers, running or not, and first processes of commands. */
async function identities(): Promise<readonly string[]> {
  const containers = await engine.docker.listContainers({ all: true });
  const leaders = [...containersBelow(directory)].flatMap((id) => processesOf(id).filter(({ leader }) => leader));
  return [...containers.map(({ Id }) => Id), ...leaders.map(({ pid, startTicks }) => `${pid} ${startTicks}`)];
}

const live = async () => (await identities()).length;

/** The app has so many tasks, Mesos and the machine have just these, and nothing else is there. */
async function just(id: string, instances: number): Promise<readonly string[]> {
  const ids = taskIds(await settled(client, id, instances));
  await until('as many exist as the API says', 30_000, async () => (await live()) === instances);
  const { tasks } = (await (await fetch(`${mesosUrl}/tasks?limit=1000`)).json()) as {
    tasks: { id: string; state: string }[];
  };
  expect(tasks.flatMap((task) => (task.state === 'TASK_RUNNING' ? [task.id] : [])).toSorted()).toEqual(ids);
  return ids;
}

const running = async (id: string) =>
  ((await client.listTasks(id)) ?? []).filter(({ state }) => state === 'TASK_RUNNING').map(({ id: task }) => task);

const DOCKER = {
  cpus: 0.1,
  mem: 32,
  container: { type: 'DOCKER', docker: { image: PROBE_IMAGE } },
  args: ['count'],
  taskKillGracePeriodSeconds: 1,
};
const STUBBORN = { ...DOCKER, args: ['stubborn'], taskKillGracePeriodSeconds: 2 };
const TRAPPED = { ...SLEEP, cmd: 'trap "" TERM; while :; do sleep 1; done', taskKillGracePeriodSeconds: 2 };

describe.each([
  ['Docker tasks', DOCKER, STUBBORN],
  ['command tasks', SLEEP, TRAPPED],
])('a cell with %s that is killed', (_, task, stubborn) => {
  it('while it launches', async () => {
    await faults.set({ tasks: [{ kind: 'slow', delayMs: 600_000, skip: 2 }] });
    await client.createApp({ id: '/launch', instances: 5, ...task });
    // Two run, three are with their agents and have not begun.
    await until('two run', 40_000, async () => (await running('/launch')).length === 2);
    await until('five are known', 30_000, async () => (await client.listTasks('/launch'))?.length === 5);
    const before = await running('/launch');
    const there = await identities();
    expect(there).toHaveLength(2);
    await crash();
    expect(await just('/launch', 5)).toEqual(expect.arrayContaining(before));
    expect(await identities()).toEqual(expect.arrayContaining([...there]));
  });

  it('while it starts a container or a process', async () => {
    await client.createApp({ id: '/start', instances: 6, ...task });
    await until('the first is there', 40_000, async () => (await live()) > 0);
    await crash();
    await just('/start', 6);
  });

  it('while it kills', async () => {
    await client.createApp({ id: '/kill', instances: 4, ...stubborn });
    const before = await just('/kill', 4);
    await client.scaleApp('/kill', 1);
    // On a busy machine the first may be gone before the last is seen.
    await until('three are being killed', 30_000, async () => {
      const { tasks } = (await (await fetch(`${mesosUrl}/tasks?limit=1000`)).json()) as {
        tasks: { id: string; state: string }[];
      };
      const states = tasks.filter(({ id }) => before.includes(id)).map(({ state }) => state);
      return states.filter((state) => state === 'TASK_KILLING' || state === 'TASK_KILLED').length === 3;
    });
    await crash();
    const [left, ...none] = await just('/kill', 1);
    expect(before).toContain(left);
    expect(none).toEqual([]);
  });

  it('in the middle of an upgrade', async () => {
    await client.createApp({ id: '/upgrade', instances: 3, ...task });
    const before = await just('/upgrade', 3);
    await faults.set({ tasks: [{ kind: 'slow', delayMs: 600_000, skip: 1 }] });
    const upgraded = { ...task, env: { GENERATION: '2' } };
    await fetch(`${client.url}/v2/apps//upgrade`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(upgraded),
    });
    await until('one new one runs and one old one is gone', 40_000, async () => {
      const now = await running('/upgrade');
      return now.some((id) => !before.includes(id)) && before.some((id) => !now.includes(id));
    });
    await crash();
    const after = await just('/upgrade', 3);
    expect(after.some((id) => before.includes(id))).toBe(false);
    expect((await client.getApp('/upgrade'))?.env).toEqual({ GENERATION: '2' });
  });
});

describe('a cell that is killed', () => {
  /** Runs until `mayEnd`, then ends with this code. */
  const untilTold = (exitCode: number) => ({
    ...SLEEP,
    cmd: `while [ ! -e ${scratch}/${exitCode} ]; do sleep 0.1; done; exit ${exitCode}`,
    backoffSeconds: 600,
  });
  const mayEnd = (exitCode: number) => writeFileSync(`${scratch}/${exitCode}`, '');

  it('before Marathon has heard of an end tells it afterwards', async () => {
    await client.createApp({ id: '/end', instances: 1, ...untilTold(7) });
    await until('it runs', 30_000, async () => (await running('/end')).length === 1);
    await faults.set({ marathon: 'away' });
    mayEnd(7);
    await until('it has ended', 30_000, async () => (await live()) === 0);
    await crash();
    const failure = await until('its end is told', 40_000, async () => (await client.getApp('/end'))?.lastTaskFailure);
    expect(failure).toMatchObject({ state: 'TASK_FAILED', message: 'Command exited with status 7' });
  });

  it('finds out what ended while it was dead', async () => {
    await client.createApp({ id: '/dead', instances: 1, ...untilTold(9) });
    await until('it runs', 30_000, async () => (await running('/dead')).length === 1);
    await kill();
    mayEnd(9);
    await until('it has ended', 30_000, async () => (await live()) === 0);
    await start();
    const failure = await until('its end is told', 40_000, async () => (await client.getApp('/dead'))?.lastTaskFailure);
    expect(failure).toMatchObject({ state: 'TASK_FAILED', message: 'Command exited with status 9' });
  });

  it('again and again, at moments that nobody chose, has in the end what was asked last', async () => {
    await client.createApp({ id: '/often', instances: 0, ...SLEEP });
    for (const instances of [4, 1, 5, 2]) {
      await client.scaleApp('/often', instances, { force: true });
      await crash();
    }
    await just('/often', 2);
  });
});
