/** The Docker engine goes away under a cell with running tasks: stopped, killed, hung, and back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { type Cell, startCell, type WholeCellOptions } from '../../cell/cell.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { recordEvents, settled, taskIds } from '../integration/marathon-rig.ts';
import { type BreakableEngine, breakableEngine, PROBE_IMAGE } from '../integration/mesos-engine.ts';
import { until } from '../integration/mesos-until.ts';

jest.setTimeout(240_000);

/** Long enough that a busy engine answers one of the pings in it, short enough to be waited for. */
const ENGINE_TIMEOUT_MS = 4_000;

let engine: BreakableEngine;
let cell: Cell;
let client: MarathonClient;
let stateDir: string;
/** What the cell has to say of its own troubles. */
const warnings: string[] = [];

beforeAll(async () => {
  engine = await breakableEngine();
  stateDir = mkdtempSync(join(tmpdir(), 'engine-faults-'));
  const first = await freePortBlock(40);
  const agent = (name: string, from: number) => ({
    name,
    cpus: 4,
    mem: 2048,
    portRange: [from, from + 19] as [number, number],
  });
  const options: WholeCellOptions = {
    stateDir,
    mesos: {
      docker: { socketPath: engine.socketPath },
      agents: [agent('one', first), agent('two', first + 20)],
      allocationIntervalMs: 100,
      engineTimeoutMs: ENGINE_TIMEOUT_MS,
      engineCallTimeoutMs: 10_000,
      agentTimeoutMs: 1_000,
      stopGraceMs: 300,
    },
  };
  cell = await startCell(options, { info: () => undefined, warn: (what) => warnings.push(what) });
  client = new MarathonClient({ url: cell.marathonUrl });
});
afterAll(async () => {
  try {
    await cell?.stop();
  } finally {
    await engine?.stop();
    rmSync(stateDir, { recursive: true });
  }
});
afterEach(async () => {
  for (const { id } of await client.listApps()) await client.deleteApp(id);
  await until('nothing is left', 60_000, async () => (await client.deployments()).length === 0);
  await until('no container is left', 60_000, async () => (await containers()).length === 0);
});

const containers = async () =>
  (await engine.docker.listContainers({ all: true })).map(({ Names, State }) => `${Names[0]} ${State}`).toSorted();

/** Lost ones count as running for an hour, so that nothing is replaced that comes back. */
const PATIENT = { unreachableStrategy: { inactiveAfterSeconds: 3_600, expungeAfterSeconds: 7_200 } };
const app = (id: string, instances: number, more: object = {}) => ({
  id,
  instances,
  cpus: 0.1,
  mem: 32,
  container: { type: 'DOCKER', docker: { image: PROBE_IMAGE } },
  args: ['count'],
  backoffSeconds: 1,
  backoffFactor: 1,
  taskKillGracePeriodSeconds: 1,
  ...more,
});

/** Nobody knows of these tasks, and nothing was started in their place. */
async function allUnreachable(id: string, ids: readonly string[]): Promise<void> {
  await until(`the tasks of ${id} are unreachable`, 60_000, async () =>
    (await states(id)).every((state) => state === 'TASK_UNREACHABLE'),
  );
  expect(taskIds({ tasks: (await client.listTasks(id)) ?? [] })).toEqual(ids);
}

const states = async (id: string) => (await client.listTasks(id))?.map(({ state }) => state) ?? [];
const agentsActive = async () => {
  const answer = await fetch(`${cell.mesosUrl}/metrics/snapshot`);
  return ((await answer.json()) as Record<string, number>)['master/slaves_active'];
};

describe('an engine that is gone', () => {
  it('takes its agents with it, and brings them back; what died with it is told and replaced', async () => {
    await client.createApp(app('/died', 2, PATIENT));
    const before = taskIds(await settled(client, '/died', 2));
    await engine.kill();
    await allUnreachable('/died', before);
    // Without live-restore it ends the containers that it finds.
    await engine.start();
    const after = await until('others run in their place', 60_000, async () => {
      const now = await settled(client, '/died', 2);
      return taskIds(now).some((id) => before.includes(id)) ? undefined : now;
    });
    expect(taskIds(after)).toHaveLength(2);
    expect((await client.getApp('/died'))?.lastTaskFailure).toMatchObject({ state: 'TASK_FAILED' });
    await until('just these have a container', 30_000, async () => {
      const running = (await containers()).filter((text) => text.endsWith('running'));
      return running.length === 2 && (await containers()).length === 2;
    });
  });

  it('leaves those that survive it as they were', async () => {
    await engine.shutDown();
    await engine.start(true);
    await client.createApp(app('/survives', 2, PATIENT));
    const before = taskIds(await settled(client, '/survives', 2));
    const there = await containers();
    await engine.kill();
    await allUnreachable('/survives', before);
    await engine.start(true);
    expect(taskIds(await settled(client, '/survives', 2))).toEqual(before);
    expect(await containers()).toEqual(there);
  });

  it('costs nothing when it is back before anybody has missed it', async () => {
    await client.createApp(app('/short', 1, PATIENT));
    const before = taskIds(await settled(client, '/short', 1));
    engine.freeze();
    engine.thaw();
    await until('both agents are there', 30_000, async () => (await agentsActive()) === 2);
    expect(taskIds(await settled(client, '/short', 1))).toEqual(before);
  });
});

describe('an engine that hangs', () => {
  it('counts as gone after its deadline, and what was asked of it meanwhile is done once', async () => {
    await client.createApp(app('/hung', 1, PATIENT));
    const before = taskIds(await settled(client, '/hung', 1));
    const { events, stop } = await recordEvents(cell.marathonUrl);
    await client.scaleApp('/hung', 3);
    // Then its image is there, and the engine is about to be asked for the container.
    await until('a new one starts', 60_000, () =>
      events.some((event) => 'taskStatus' in event && event.taskStatus === 'TASK_STARTING'),
    );
    engine.freeze();
    try {
      await until('its agents are lost', 60_000, async () => (await agentsActive()) === 0);
      await until('the old task is unreachable', 60_000, async () =>
        (await states('/hung')).includes('TASK_UNREACHABLE'),
      );
      await until('calls have timed out', 60_000, () => warnings.length > 0);
    } finally {
      engine.thaw();
      await stop();
    }
    const after = await settled(client, '/hung', 3);
    expect(taskIds(after)).toEqual(expect.arrayContaining(before));
    await until('each has one container, and nobody else', 30_000, async () => {
      const there = await containers();
      return there.length === 3 && there.every((text) => text.endsWith('running'));
    });
  });

  it('does not keep a task alive that was killed while it hung', async () => {
    await client.createApp(app('/killed', 2, PATIENT));
    await settled(client, '/killed', 2);
    engine.freeze();
    try {
      await client.scaleApp('/killed', 0);
      await until('its agents are lost', 60_000, async () => (await agentsActive()) === 0);
    } finally {
      engine.thaw();
    }
    await settled(client, '/killed', 0);
    // An ended one is told first and removed then.
    await until('no container is left', 60_000, async () => (await containers()).length === 0);
  });
});

describe('an image that can not be had', () => {
  it('fails its tasks in the words of the engine, and delays grow', async () => {
    const image = '127.0.0.1:1/none:1';
    const container = { type: 'DOCKER', docker: { image } };
    await client.createApp(app('/none', 1, { container, backoffSeconds: 1, backoffFactor: 3 }));
    await until('its delay has grown', 60_000, async () => {
      const [item] = await client.queue();
      return (item?.delay?.timeLeftSeconds ?? 0) >= 2;
    });
    const failure = (await client.getApp('/none'))?.lastTaskFailure;
    expect(failure).toMatchObject({
      state: 'TASK_FAILED',
      message: expect.stringContaining(`pull ${image}': exited with status 1; stderr=`),
    });
    expect(failure?.message).toMatch(/connection refused/);
  });
});
