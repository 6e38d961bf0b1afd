/** What a Marathon and the CI framework make of a Mesos that fails, by the fault switches of the cell. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type RunTaskResult, runTask } from '../../activities/mesos/run-task.ts';
import { SLEEP, settled, taskIds } from '../integration/marathon-rig.ts';
import { until } from '../integration/mesos-until.ts';
import { operatorCall } from '../mesos-rig/operator-call.ts';
import { type CellRig, useCellRig } from './cell-rig.ts';

jest.setTimeout(120_000);

let rig: CellRig;
/** While it is not there, what waits for it goes on. */
let go: string;

beforeEach(() => {
  go = join(mkdtempSync(join(tmpdir(), 'mesos-switches-')), 'go');
});
afterEach(() => rmSync(join(go, '..'), { recursive: true }));

/** A line that ends with this code when it may. */
const untilTold = (exitCode: number) => `while [ ! -e ${go} ]; do sleep 0.1; done; exit ${exitCode}`;
const mayEnd = () => writeFileSync(go, '');

useCellRig((started) => {
  rig = started;
});

const on = (name: string) => ({ constraints: [['hostname', 'LIKE', name]] });
const PATIENT = { unreachableStrategy: { inactiveAfterSeconds: 3_600, expungeAfterSeconds: 7_200 } };
const order = async (call: object) =>
  expect(await operatorCall(rig.cell.mesosUrl, call)).toEqual({ status: 200, body: '' });
/** The ids of those that are registered, by name. */
const agents = async () => {
  const { slaves } = (await (await fetch(`${rig.cell.mesosUrl}/slaves`)).json()) as {
    slaves: { id: string; hostname: string }[];
  };
  return new Map(slaves.map(({ id, hostname }) => [hostname, id]));
};
const states = async (id: string) => (await rig.client.listTasks(id))?.map(({ state }) => state) ?? [];

describe('an agent', () => {
  it('that is partitioned and returns brings its tasks back as they were', async () => {
    await rig.client.createApp({ id: '/p', instances: 2, ...SLEEP, ...on('prod-1'), ...PATIENT });
    const before = taskIds(await settled(rig.client, '/p', 2));
    await rig.faults.set({ agents: { 'prod-1': 'lost' } });
    await until('they are unreachable', 30_000, async () =>
      (await states('/p')).every((state) => state === 'TASK_UNREACHABLE'),
    );
    expect(rig.alive()).toBe(2);
    await rig.faults.clear();
    expect(taskIds(await settled(rig.client, '/p', 2))).toEqual(before);
    expect(rig.alive()).toBe(2);
  });

  it('that is lost is replaced elsewhere, and what it brings back is ended', async () => {
    await rig.client.createApp({ id: '/l', instances: 2, ...SLEEP, ...on('prod-.') });
    const before = await settled(rig.client, '/l', 2);
    const [victim] = before.tasks;
    const name = victim?.host ?? '';
    const lost = before.tasks.filter(({ host }) => host === name).map(({ id }) => id);
    await rig.faults.set({ agents: { [name]: 'lost' } });
    const elsewhere = await until('two run elsewhere', 40_000, async () => {
      const app = await settled(rig.client, '/l', 2);
      return app.tasks.every(({ host }) => host !== name) ? taskIds(app) : undefined;
    });
    expect(rig.alive()).toBe(2 + lost.length);
    await rig.faults.clear();
    await until('what came back has ended', 30_000, () => rig.alive() === 2);
    expect(taskIds(await settled(rig.client, '/l', 2))).toEqual(elsewhere);
    // Its process ends before its master hears of it.
    await until('Mesos has heard of that', 30_000, async () => (await rig.running()).length === 2);
    expect(await rig.running()).toEqual(elsewhere);
  });

  it('that is partitioned for less than its timeout is not missed', async () => {
    await rig.client.createApp({ id: '/s', instances: 1, ...SLEEP, ...on('prod-1') });
    const before = taskIds(await settled(rig.client, '/s', 1));
    await rig.faults.set({ agents: { 'prod-1': 'partitioned' } });
    // Asked to end while nobody hears it: the end comes when it is back.
    await rig.client.scaleApp('/s', 0);
    await until('the deployment waits', 30_000, async () => (await rig.client.deployments()).length === 1);
    expect(await states('/s')).toEqual(['TASK_RUNNING']);
    expect(await rig.running()).toEqual(before);
    await rig.faults.clear();
    await settled(rig.client, '/s', 0);
  });

  it('that is partitioned and marked gone ends its tasks when it is back, and begins anew', async () => {
    await rig.client.createApp({ id: '/g', instances: 1, ...SLEEP, ...on('prod-1') });
    const before = taskIds(await settled(rig.client, '/g', 1));
    const id = (await agents()).get('prod-1');
    await rig.faults.set({ agents: { 'prod-1': 'partitioned' } });
    await order({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: id } } });
    await until('it is in the queue', 30_000, async () =>
      (await rig.client.queue()).some(({ app }) => app?.id === '/g'),
    );
    expect(rig.alive()).toBe(1);
    await rig.faults.clear();
    const after = await until('another runs', 40_000, async () => {
      const now = taskIds(await settled(rig.client, '/g', 1));
      return now[0] === before[0] ? undefined : now;
    });
    expect((await agents()).get('prod-1')).not.toBe(id);
    await until('one process is left', 30_000, () => rig.alive() === 1);
    expect(await rig.running()).toEqual(after);
  });

  it('that is partitioned stays away when its machine comes up', async () => {
    const machines = ['prod-2', 'fat-1'].map((hostname) => ({ hostname, ip: '127.0.0.1' }));
    const windows = [{ machine_ids: machines, unavailability: { start: { nanoseconds: 1893456000000000000 } } }];
    await rig.faults.set({ agents: { 'prod-2': 'partitioned' } });
    await order({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: { windows } } });
    await order({ type: 'START_MAINTENANCE', start_maintenance: { machines } });
    expect([...(await agents()).keys()]).toEqual(['prod-1']);
    await order({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines } });
    // Asked for after the other, so that one would be there by now.
    await until('fat-1 is back', 30_000, async () => (await agents()).has('fat-1'));
    expect((await agents()).has('prod-2')).toBe(false);
    await rig.faults.clear();
    await until('prod-2 is back too', 30_000, async () => (await agents()).has('prod-2'));
  });
});

describe('offers', () => {
  it('that are withheld let a deployment wait, and those of one agent go past it', async () => {
    await rig.faults.set({ offersWithheld: true });
    await rig.client.createApp({ id: '/o', instances: 2, ...SLEEP, ...on('prod-.') });
    await until('it is in the queue', 30_000, async () =>
      (await rig.client.queue()).some(({ app }) => app?.id === '/o'),
    );
    expect(await rig.running()).toEqual([]);
    await rig.faults.set({ offersWithheld: ['prod-1', 'fat-1'] });
    const app = await settled(rig.client, '/o', 2);
    expect(app.tasks.map(({ host }) => host)).toEqual(['prod-2', 'prod-2']);
  });
});

describe('tasks', () => {
  it('that do not start are told so and started again, the others are left alone', async () => {
    await rig.faults.set({ tasks: [{ kind: 'fail', task: '^t\\.', times: 2, message: 'no room at the inn' }] });
    await rig.client.createApp({ id: '/t', instances: 1, ...SLEEP, backoffSeconds: 1, backoffFactor: 1 });
    await rig.client.createApp({ id: '/u', instances: 1, ...SLEEP });
    await settled(rig.client, '/u', 1);
    await settled(rig.client, '/t', 1);
    expect((await rig.faults.get()).seen.tasks).toEqual([{ matched: 2, hits: 2 }]);
    expect((await rig.client.getApp('/t'))?.lastTaskFailure).toMatchObject({
      state: 'TASK_FAILED',
      message: 'no room at the inn',
    });
  });

  it('that are slow to start can be killed before they do', async () => {
    await rig.faults.set({ tasks: [{ kind: 'slow', delayMs: 600_000 }] });
    await rig.client.createApp({ id: '/w', instances: 2, ...SLEEP });
    await until('both are staged', 30_000, async () => (await states('/w')).length === 2);
    expect(rig.alive()).toBe(0);
    await rig.client.scaleApp('/w', 0, { force: true });
    await settled(rig.client, '/w', 0);
    expect(rig.alive()).toBe(0);
  });
});

describe('a master that is gone', () => {
  it('ends its streams and answers 503; the next one, with another id, has the same tasks and goes on', async () => {
    await rig.client.createApp({ id: '/m', instances: 2, ...SLEEP });
    const before = taskIds(await settled(rig.client, '/m', 2));
    const { frameworkId } = await rig.client.info();
    const id = await masterId();
    await rig.faults.set({ master: 'away' });
    const answer = await fetch(`${rig.cell.mesosUrl}/state`);
    expect([answer.status, await answer.text()]).toEqual([503, 'No leader elected']);
    // Marathon takes orders all the same.
    await rig.client.scaleApp('/m', 4);
    expect(await rig.client.deployments()).toHaveLength(1);
    expect(rig.alive()).toBe(2);
    await rig.faults.clear();
    const app = await settled(rig.client, '/m', 4);
    expect(taskIds(app)).toEqual(expect.arrayContaining(before));
    expect(rig.alive()).toBe(4);
    expect(await rig.running()).toEqual(taskIds(app));
    expect(await masterId()).not.toBe(id);
    expect((await rig.client.info()).frameworkId).toBe(frameworkId);
  });

  it('tells after its return what ended while it was away', async () => {
    await rig.client.createApp({ id: '/e', instances: 1, ...SLEEP, cmd: untilTold(3), backoffSeconds: 600 });
    await until('it runs', 30_000, async () => (await states('/e')).includes('TASK_RUNNING'));
    await rig.faults.set({ master: 'away' });
    mayEnd();
    await until('it has ended', 30_000, () => rig.alive() === 0);
    await rig.faults.clear();
    const failure = await until(
      'its end is told',
      30_000,
      async () => (await rig.client.getApp('/e'))?.lastTaskFailure,
    );
    expect(failure).toMatchObject({ state: 'TASK_FAILED', message: 'Command exited with status 3' });
  });
});

describe('calls of a scheduler that fail', () => {
  it('start a task once, although its launch was answered 503 after it was made', async () => {
    await rig.faults.set({ routes: [{ of: 'mesos', call: 'ACCEPT', kind: '503-after-apply', times: 1 }] });
    await rig.client.createApp({ id: '/a', instances: 1, ...SLEEP });
    const app = await settled(rig.client, '/a', 1);
    expect((await rig.faults.get()).seen.routes).toEqual([{ matched: 1, hits: 1 }]);
    expect(await rig.running()).toEqual(taskIds(app));
    expect(rig.alive()).toBe(1);
  });

  it.each(['503-before', 'drop'] as const)('start it in the end, although the first was lost: %s', async (kind) => {
    await rig.faults.set({ routes: [{ of: 'mesos', call: 'ACCEPT', kind, times: 1 }] });
    await rig.client.createApp({ id: '/b', instances: 1, ...SLEEP });
    const app = await settled(rig.client, '/b', 1);
    expect(await rig.running()).toEqual(taskIds(app));
    expect(rig.alive()).toBe(1);
  });

  it('end it, although it was asked for in vain', async () => {
    await rig.client.createApp({ id: '/k', instances: 1, ...SLEEP });
    await settled(rig.client, '/k', 1);
    await rig.faults.set({ routes: [{ of: 'mesos', call: 'KILL', kind: '503-before', times: 1 }] });
    await rig.client.scaleApp('/k', 0);
    await settled(rig.client, '/k', 0);
    expect((await rig.faults.get()).seen.routes[0]?.hits).toBe(1);
  });

  it('run a CI task once, through a lost master and answers that lie', async () => {
    await rig.faults.set({
      routes: [
        { of: 'mesos', call: 'ACCEPT', kind: '503-after-apply', times: 1 },
        { of: 'mesos', call: 'ACKNOWLEDGE', kind: '503-after-apply', times: 2 },
      ],
    });
    const ended = ciTask(untilTold(4));
    await until('it runs', 30_000, () => rig.alive() === 1);
    await rig.faults.set({ master: 'away' });
    await rig.faults.clear();
    mayEnd();
    expect(await ended).toMatchObject({ exitCode: 4 });
    expect(rig.alive()).toBe(0);
  });
});

describe('a teardown that fails', () => {
  const frameworks = async () => {
    const { frameworks } = (await (await fetch(`${rig.cell.mesosUrl}/state`)).json()) as {
      frameworks: { name: string }[];
    };
    return frameworks.map(({ name }) => name);
  };
  const KINDS = ['503-before', '503-after-apply', 'drop', 'drop-after-apply'] as const;
  const failTeardown = (kind: (typeof KINDS)[number]) =>
    rig.faults.set({ routes: [{ of: 'mesos', call: 'TEARDOWN', kind, times: 1 }] });
  const hits = async () => (await rig.faults.get()).seen.routes[0]?.hits;

  it.each(KINDS)('leaves no framework of a task that has ended, and its result stands: %s', async (kind) => {
    await failTeardown(kind);
    expect(await ciTask('exit 4')).toMatchObject({ exitCode: 4, warnings: [] });
    expect([await hits(), await frameworks()]).toEqual([1, ['marathon']]);
  });

  it.each(KINDS)('leaves no framework of a run that is aborted: %s', async (kind) => {
    await failTeardown(kind);
    const over = new AbortController();
    const ended = ciTask('sleep 60', over.signal);
    await until('it runs', 30_000, () => rig.alive() === 1);
    over.abort(new Error('enough'));
    await expect(ended).rejects.toThrow('enough');
    expect([await hits(), await frameworks()]).toEqual([1, ['marathon']]);
    expect(rig.alive()).toBe(0);
  });
});

describe('requests of operators', () => {
  it('fail by server and path: of an agent alone, or of the master alone', async () => {
    const agent = rig.cell.agents[0]?.url ?? '';
    const statuses = async () =>
      Promise.all([`${agent}/state`, `${rig.cell.mesosUrl}/state`].map(async (url) => (await fetch(url)).status));
    await rig.faults.set({ routes: [{ of: 'agent', kind: '503-before', path: '^/state' }] });
    expect(await statuses()).toEqual([503, 200]);
    await rig.faults.set({ routes: [{ of: 'mesos', kind: '503-after-apply', path: '^/state', status: 500 }] });
    expect(await statuses()).toEqual([200, 500]);
    await rig.faults.clear();
    expect(await statuses()).toEqual([200, 200]);
  });
});

async function masterId(): Promise<string> {
  return ((await (await fetch(`${rig.cell.mesosUrl}/state`)).json()) as { id: string }).id;
}

/** A task of the CI framework. */
function ciTask(line: string, signal: AbortSignal = new AbortController().signal): Promise<RunTaskResult> {
  return runTask({
    master: rig.cell.mesosUrl,
    frameworkName: 'ci',
    task: { name: 'job', command: { value: line }, resources: { cpus: 0.1, mem: 32 }, killGraceMs: 500 },
    attributes: { env: 'fat' },
    failoverTimeoutSeconds: 60,
    offerTimeoutMs: 60_000,
    onProgress: () => undefined,
    signal,
  });
}
