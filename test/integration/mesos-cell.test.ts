/** The embedded Mesos with a real Docker engine and real processes: what only its own agents do, and its death. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readAgentState, readSandboxFile, sandboxOf } from '../../activities/mesos/agent-files.ts';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import type { Resource } from '../../activities/mesos/types.ts';
import { processesOf } from '../../cell/mesos/processes.ts';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { type CellProcess, startCell } from './mesos-cell-process.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { scalar, TestFramework, type TestTask } from './mesos-framework.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(120_000);

let engine: TestEngine;
let stateDir: string;
let firstPort: number;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  engine = await testEngine();
  firstPort = await freePortBlock(20);
}, 120_000);
afterAll(() => engine.stop());
afterEach(async () => {
  for (const each of open.splice(0)) await each.stop();
  expect(await containers()).toEqual([]);
  rmSync(stateDir, { recursive: true, force: true });
});

const containers = async () => (await engine.docker.listContainers({ all: true })).flatMap(({ Names }) => Names);

function options(change: object = {}) {
  stateDir ??= '';
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
  return {
    docker: { socketPath: engine.socketPath },
    stateDir,
    allocationIntervalMs: 50,
    stopGraceMs: 500,
    agents: [
      {
        name: 'fat-1',
        attributes: 'env:fat;rack:r1',
        cpus: 4,
        mem: 2048,
        portRange: [firstPort, firstPort + 9] as [number, number],
      },
      {
        name: 'ci-1',
        attributes: 'role:ci',
        cpus: 4,
        mem: 2048,
        portRange: [firstPort + 10, firstPort + 19] as [number, number],
      },
    ],
    ...change,
  };
}

async function cell(change: object = {}): Promise<MesosCell> {
  const started = await startMesos(options(change));
  open.push(started);
  return started;
}

const framework = (master: { readonly masterUrl: string }, info: object = {}) =>
  new TestFramework(master.masterUrl, info).connected();

const probe = (id: string, args: readonly string[], more: Partial<TestTask> = {}): TestTask => ({
  task_id: { value: id },
  container: { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST' } },
  command: { shell: false, arguments: args },
  ...more,
});
const shell = (id: string, line: string, more: Partial<TestTask> = {}): TestTask => ({
  task_id: { value: id },
  command: { value: line },
  ...more,
});

const portOf = (port: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin: port, end: port }] },
});

async function sandboxFile(
  started: Pick<MesosCell, 'agents'>,
  agent: string,
  of: TestFramework,
  taskId: string,
  file: string,
) {
  const url = started.agents.find(({ name }) => name === agent)?.url ?? '';
  const directory = sandboxOf(await readAgentState(url), of.id, taskId);
  return (await readSandboxFile(url, `${directory}/${file}`))?.toString();
}

describe('Docker tasks', () => {
  it('report their address, are found by the operator, and finish', async () => {
    const started = await cell();
    const test = await framework(started);
    await test.launch(
      'fat-1',
      probe('web', ['serve'], {
        resources: [scalar('cpus', 0.5), scalar('mem', 64), portOf(firstPort)],
        command: {
          shell: false,
          arguments: ['serve'],
          environment: { variables: [{ name: 'PORT0', value: String(firstPort) }] },
        },
        health_check: {
          type: 'HTTP',
          delay_seconds: 0,
          interval_seconds: 0.1,
          consecutive_failures: 2,
          grace_period_seconds: 5,
          http: { port: firstPort, path: '/' },
        },
      }),
    );
    const running = await test.state('web', 'TASK_RUNNING');
    expect(running.container_status?.network_infos).toEqual([
      { ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] },
    ]);
    await test.update('healthy', ({ healthy }) => healthy === true);

    const operator = new OperatorClient({ master: started.masterUrl, timeoutMs: 20_000 });
    const [agent] = await operator.getAgents();
    expect(agent?.allocated_resources).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'cpus', scalar: { value: 0.5 } })]),
    );
    const container = await engine.docker
      .getContainer(`mesos-${running.container_status?.container_id?.value}`)
      .inspect();
    expect(container.HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, CpuShares: 512, NetworkMode: 'host' });

    const state = await readAgentState(started.agents[0]?.url ?? '');
    writeFileSync(`${sandboxOf(state, test.id, 'web')}/sick`, '');
    const killed = await test.state('web', 'TASK_KILLED');
    expect(killed).toMatchObject({ healthy: false });
    expect(killed.message).toContain('unexpected HTTP response code: 500');
    const health = test.updates.filter(({ state, healthy }) => state === 'TASK_RUNNING' && healthy !== undefined);
    expect(health.map(({ healthy }) => healthy)).toEqual([true, false, false]);
  });

  it('are checked by commands inside them, which end in time', async () => {
    const test = await framework(await cell());
    // To begin a command in a container takes a busy engine more than half a second.
    const checked = (id: string, timeoutSeconds: number, ...words: readonly string[]) =>
      probe(id, ['stubborn'], {
        health_check: {
          type: 'COMMAND',
          delay_seconds: 0,
          interval_seconds: 0.1,
          timeout_seconds: timeoutSeconds,
          grace_period_seconds: 0,
          consecutive_failures: 1,
          command: { shell: false, value: '/probe', arguments: ['probe', ...words] },
        },
        kill_policy: { grace_period: { nanoseconds: 0 } },
      });
    await test.launch('fat-1', checked('well', 30, 'print', '0'));
    await test.update('healthy', ({ healthy }) => healthy === true);
    for (const [id, timeoutSeconds, words, message] of [
      ['sick', 30, ['print', '3'], 'command exited with status 3'],
      ['late', 0.5, ['stubborn'], 'the check did not end within 500 ms'],
    ] as const) {
      await test.launch('fat-1', checked(id, timeoutSeconds, ...words));
      const killed = await test.state(id, 'TASK_KILLED');
      expect(killed).toMatchObject({ healthy: false, message: expect.stringContaining(message) });
    }
  });

  it('fail with the words of the engine when the program does not exist', async () => {
    const started = await cell();
    const test = await framework(started);
    const parameters = [{ key: 'entrypoint', value: '/no/such/program' }];
    const container = { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST', parameters } } as const;
    await test.launch('fat-1', probe('noprogram', [], { container }));
    const { message } = await test.state('noprogram', 'TASK_FAILED');
    expect(message).toMatch(/Failed to launch container: .*\/no\/such\/program/);
  });
});

describe('command tasks', () => {
  it('are killed with everything they started, wherever it hides', async () => {
    const started = await cell();
    const test = await framework(started);
    const { task_id } = await test.launch(
      'ci-1',
      shell('tree', 'setsid sleep 300 & sleep 300 & trap "" TERM; while :; do sleep 1; done'),
    );
    const running = await test.state('tree', 'TASK_RUNNING');
    const id = running.container_status?.container_id?.value ?? '';
    await until('all processes are there', 20_000, () => processesOf(id).length >= 5);
    await test.client.kill({ taskId: task_id, killPolicy: { grace_period: { nanoseconds: '200000000' } } });
    expect(await test.state('tree', 'TASK_KILLED')).toMatchObject({ message: 'Command terminated with signal Killed' });
    expect(processesOf(id)).toEqual([]);
  });

  it('end at once on SIGTERM, with what they left in the background', async () => {
    const started = await cell();
    const test = await framework(started);
    await test.launch('ci-1', shell('polite', 'sleep 300 & exit 0'));
    const over = await test.state('polite', 'TASK_FINISHED');
    expect(processesOf(over.container_status?.container_id?.value ?? '')).toEqual([]);
    const { task_id } = await test.launch('ci-1', shell('asked', 'sleep 300'));
    await test.state('asked', 'TASK_RUNNING');
    await test.client.kill({ taskId: task_id, killPolicy: { grace_period: { nanoseconds: '60000000000' } } });
    expect(await test.state('asked', 'TASK_KILLED')).toMatchObject({
      message: 'Command terminated with signal Terminated',
    });
  });

  it('are checked by commands that run beside them', async () => {
    const started = await cell();
    const test = await framework(started);
    await test.launch(
      'ci-1',
      shell('checked', 'touch well; sleep 300', {
        health_check: {
          type: 'COMMAND',
          delay_seconds: 0,
          interval_seconds: 0.1,
          consecutive_failures: 1,
          command: { value: 'test -e well' },
        },
      }),
    );
    await test.update('healthy', ({ healthy }) => healthy === true);
    const state = await readAgentState(started.agents[1]?.url ?? '');
    rmSync(`${sandboxOf(state, test.id, 'checked')}/well`);
    expect(await test.state('checked', 'TASK_KILLED')).toMatchObject({ healthy: false });
  });

  it('that take longer than they may have failed', async () => {
    const started = await cell();
    const test = await framework(started);
    await test.launch('ci-1', shell('slow', 'sleep 300', { max_completion_time: { nanoseconds: 200_000_000 } }));
    expect(await test.state('slow', 'TASK_FAILED')).toMatchObject({ reason: 'REASON_MAX_COMPLETION_TIME_REACHED' });
  });
});

describe('frameworks', () => {
  it('that hang up without a failover timeout lose their tasks', async () => {
    const started = await cell();
    const test = await framework(started, { failover_timeout: 0 });
    await test.launch('ci-1', shell('mine', 'sleep 300'));
    const running = await test.state('mine', 'TASK_RUNNING');
    await test.disconnect();
    await until(
      'the task is gone',
      20_000,
      () => processesOf(running.container_status?.container_id?.value ?? '').length === 0,
    );
    const operator = new OperatorClient({ master: started.masterUrl, timeoutMs: 20_000 });
    // Its process ends before its master hears of it.
    await until(
      'Mesos has heard of its end',
      20_000,
      async () => (await operator.findTask(test.id, 'mine'))?.state === 'TASK_KILLED',
    );
    const again = new TestFramework(started.masterUrl, { id: { value: test.id } });
    await again.ended();
    expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });
});

describe('a killed cell', () => {
  it('finds its containers and processes again, with their output, and doubles nothing', async () => {
    const settings = options();
    let started: CellProcess = await startCell(settings);
    open.push({ stop: () => started.stop() });
    const before = await framework(started);
    await before.launch('fat-1', probe('counter', ['count']));
    await before.launch('ci-1', shell('ticker', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done'));
    const go = join(stateDir, 'go');
    await before.launch('ci-1', shell('ends', `while [ ! -e ${go} ]; do sleep 0.05; done; exit 5`));
    const counter = await before.state('counter', 'TASK_RUNNING');
    const ticker = await before.state('ticker', 'TASK_RUNNING');
    const ends = await before.state('ends', 'TASK_RUNNING');
    await started.crash();
    await before.ended();
    writeFileSync(go, '');
    await until(
      'the short task has ended meanwhile',
      20_000,
      () => processesOf(ends.container_status?.container_id?.value ?? '').length === 0,
    );
    const pids = processesOf(ticker.container_status?.container_id?.value ?? '').filter(({ leader }) => leader);
    const image = await engine.docker.createContainer({
      Image: PROBE_IMAGE,
      Cmd: ['stubborn'],
      HostConfig: { NetworkMode: 'host' },
      Labels: { 'slipway.cell.agent': join(stateDir, 'agents/fat-1'), 'slipway.cell.container': 'stray' },
      name: 'mesos-stray',
    });
    await image.start();

    started = await startCell(settings);
    const after = await framework(started, { id: { value: before.id } });
    expect(await after.state('ends', 'TASK_FAILED')).toMatchObject({ message: 'Command exited with status 5' });
    await after.client.reconcile([]);
    await after.state('counter', 'TASK_RUNNING');
    await after.state('ticker', 'TASK_RUNNING');
    expect(await containers()).toEqual([`/mesos-${counter.container_status?.container_id?.value}`]);
    expect(processesOf(ticker.container_status?.container_id?.value ?? '').filter(({ leader }) => leader)).toEqual(
      pids,
    );
    // One whose acknowledgement died with the cell comes again; nothing new but the end does.
    const told = before.updates.map(({ uuid }) => uuid);
    expect(after.updates.filter(({ uuid }) => uuid !== undefined && !told.includes(uuid))).toHaveLength(1);

    for (const [agent, task] of [
      ['fat-1', 'counter'],
      ['ci-1', 'ticker'],
    ] as const) {
      await after.client.kill({ taskId: { value: task } });
      await after.state(task, 'TASK_KILLED');
      const lines = (await sandboxFile(started, agent, after, task, 'stdout'))?.trimEnd().split('\n') ?? [];
      expect(lines.length).toBeGreaterThan(10);
      expect(lines).toEqual(lines.map((_line, index) => String(index + 1)));
    }
    await after.client.teardown();
  });

  it('told what it was told to kill, goes on killing it', async () => {
    const settings = options();
    let started = await startCell(settings);
    open.push({ stop: () => started.stop() });
    const before = await framework(started);
    await before.launch('ci-1', shell('stubborn', 'trap "" TERM; while :; do sleep 1; done'));
    await before.state('stubborn', 'TASK_RUNNING');
    // So that the next hears of its end also where that comes before the crash.
    before.acknowledging = false;
    await before.client.kill({
      taskId: { value: 'stubborn' },
      killPolicy: { grace_period: { nanoseconds: '1000000000' } },
    });
    await before.state('stubborn', 'TASK_KILLING');
    await started.crash();
    started = await startCell(settings);
    const after = await framework(started, { id: { value: before.id } });
    await after.state('stubborn', 'TASK_KILLED');
  });

  it('keeps its ports, its agents and what it was told of frameworks', async () => {
    const settings = options();
    const first = await startCell(settings);
    open.push(first);
    const test = await framework(first);
    await test.client.teardown();
    await test.ended();
    await first.crash();
    const second = await startCell(settings);
    open.push(second);
    expect({ ...second, stop: 0, crash: 0 }).toEqual({ ...first, stop: 0, crash: 0 });
    const again = new TestFramework(second.masterUrl, { id: { value: test.id } });
    await again.ended();
    expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });
});

describe('a cell', () => {
  it('that is stopped leaves no container and no process', async () => {
    const started = await startMesos(options());
    const test = await framework(started);
    await test.launch('fat-1', probe('one', ['stubborn']));
    await test.launch('ci-1', shell('two', 'trap "" TERM; while :; do sleep 1; done'));
    await test.state('one', 'TASK_RUNNING');
    const two = await test.state('two', 'TASK_RUNNING');
    await started.stop();
    expect(await containers()).toEqual([]);
    expect(processesOf(two.container_status?.container_id?.value ?? '')).toEqual([]);
  });

  it('refuses a state directory that another live cell uses', async () => {
    const settings = options();
    const started = await startCell(settings);
    open.push(started);
    await expect(startMesos(settings)).rejects.toThrow(/is in use by the cell with pid/);
    expect(readFileSync(join(stateDir, 'lock.json'), 'utf8')).toContain('pid');
  });
});
