/** `slipway cell` as people use it: the real command, a real engine, and what is left on the machine afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { CellDirectory } from '../../cell/directory.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { SLEEP, settled, taskIds } from './marathon-rig.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { until } from './mesos-until.ts';

// A test says the command up to ten times, which takes seconds each on a busy machine.
jest.setTimeout(300_000);

const PROGRAM = join(import.meta.dirname, '../../bin/slipway.ts');

let engine: TestEngine;
let scratch: string;
let state: string;

beforeAll(async () => {
  engine = await testEngine();
}, 120_000);
afterAll(() => engine.stop());
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'cell-command-'));
  state = join(scratch, 'cell');
});

afterEach(async () => {
  // After a test that failed half way.
  await slipway('down', '--state', state);
  rmSync(scratch, { recursive: true });
});

const child = (args: readonly string[]) =>
  spawn(process.execPath, [PROGRAM, 'cell', ...args], {
    env: { PATH: process.env['PATH'] ?? '', XDG_STATE_HOME: join(scratch, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function slipway(...args: readonly string[]) {
  const command = child(args);
  let [stdout, stderr] = ['', ''];
  command.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  command.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(command, 'close');
  return { code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
}

/** Everything that a cell could leave on the machine. */
async function left() {
  const { docker } = engine;
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    docker.listVolumes(),
  ]);
  return {
    containers: containers.map(({ Names }) => Names[0]),
    networks: networks.map(({ Name }) => Name).toSorted(),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name),
    processes: processesOf(scratch),
    state: existsSync(state),
  };
}

/** Processes that work in a directory, were started with its name, or carry it in their environment. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const said = [
        readlinkSync(`/proc/${pid}/cwd`),
        readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        readFileSync(`/proc/${pid}/environ`, 'utf8'),
      ];
      return said.some((text) => text.includes(`${directory}/`)) ? [said[1]?.replaceAll('\0', ' ') ?? pid] : [];
    } catch {
      // It ended while it was looked at.
      return [];
    }
  });
}

async function up(...args: readonly string[]) {
  const ports = await freePortBlock(20);
  const range = ['--ports', `${ports}-${ports + 9},${ports + 10}-${ports + 19}`];
  const free = ['--port', '0', '--mesos-port', '0', '--docker', engine.socketPath];
  const agents = ['--agents', 'env:fat;role:ci,env:prod', '--cpus', '4', '--mem', '1024,2048'];
  return slipway('up', '--state', state, ...free, ...agents, ...range, ...args);
}

const probe = (id: string, instances: number) => ({
  id,
  instances,
  cpus: 0.1,
  mem: 32,
  container: { type: 'DOCKER', docker: { image: PROBE_IMAGE } },
  args: ['count'],
});

describe('slipway cell', () => {
  it('comes up with what was asked, says where it is, and goes without a trace', async () => {
    const before = await left();
    const first = await up('--profile', '1.11', '--json');
    expect(first.code).toBe(0);
    const where = first.json();
    expect(where).toMatchObject({
      v: 1,
      state: 'running',
      directory: state,
      agents: [
        { name: 'fat-1', active: true, attributes: { env: 'fat', role: 'ci' }, tasks: 0 },
        { name: 'prod-1', active: true, attributes: { env: 'prod' } },
      ],
    });
    const client = new MarathonClient({ url: String(where['marathonUrl']) });
    expect(await client.info()).toMatchObject({ version: '1.11.26' });
    const { slaves } = (await (await fetch(`${where['mesosUrl']}/slaves`)).json()) as {
      slaves: { resources: { cpus: number; mem: number } }[];
    };
    expect(slaves.map(({ resources }) => [resources.cpus, resources.mem])).toEqual([
      [4, 1024],
      [4, 2048],
    ]);
    await client.createApp({ ...probe('/docker', 2), constraints: [['env', 'IS', 'prod']] });
    await client.createApp({ id: '/command', instances: 2, ...SLEEP });
    await settled(client, '/docker', 2);
    await settled(client, '/command', 2);

    // Said again, and without a word of how: the same cell.
    const again = await slipway('up', '--state', state, '--json');
    expect(again.json()).toMatchObject({ pid: where['pid'], marathonUrl: where['marathonUrl'] });
    expect((await slipway('up', '--state', state, '--cpus', '1')).code).toBe(7);
    const status = await slipway('status', '--state', state);
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/prod-1 +env:prod .* [23]\n/) });

    expect(await slipway('down', '--state', state)).toMatchObject({ code: 0, stderr: expect.stringContaining('gone') });
    expect(await left()).toEqual(before);
    expect(await slipway('down', '--state', state)).toMatchObject({ code: 0 });
    expect((await slipway('status', '--state', state, '--json')).json()).toMatchObject({ state: 'none' });
  });

  it('takes everything up after a kill -9, and is cleared after another', async () => {
    const before = await left();
    const where = (await up('--json')).json();
    const client = new MarathonClient({ url: String(where['marathonUrl']) });
    await client.createApp(probe('/docker', 2));
    await client.createApp({ id: '/command', instances: 2, ...SLEEP });
    const ids = [taskIds(await settled(client, '/docker', 2)), taskIds(await settled(client, '/command', 2))];
    const { containers } = await left();
    await killed(Number(where['pid']));
    expect(await slipway('status', '--state', state)).toMatchObject({ code: 1 });
    expect((await left()).containers.toSorted()).toEqual(containers.toSorted());

    const again = (await slipway('up', '--state', state, '--json')).json();
    expect(again).toMatchObject({ marathonUrl: where['marathonUrl'], mesosUrl: where['mesosUrl'] });
    expect(taskIds(await settled(client, '/docker', 2))).toEqual(ids[0]);
    expect(taskIds(await settled(client, '/command', 2))).toEqual(ids[1]);
    expect((await left()).containers.toSorted()).toEqual(containers.toSorted());

    await killed(Number(again['pid']));
    expect((await slipway('down', '--state', state, '--json')).json()).toMatchObject({ found: 'down' });
    expect(await left()).toEqual(before);
  });

  it('keeps its apps when asked to, and starts them again', async () => {
    const before = await left();
    const where = (await up('--json')).json();
    const client = new MarathonClient({ url: String(where['marathonUrl']) });
    await client.createApp({ id: '/kept', instances: 2, ...SLEEP });
    const ids = taskIds(await settled(client, '/kept', 2));
    await slipway('down', '--keep', '--state', state);
    expect(await left()).toEqual({ ...before, state: true });
    await slipway('up', '--state', state);
    const app = await settled(client, '/kept', 2);
    expect(taskIds(app).some((id) => ids.includes(id))).toBe(false);
    await slipway('down', '--state', state);
    expect(await left()).toEqual(before);
  });

  it('stays in the foreground when asked to, and ends its tasks with SIGTERM', async () => {
    const port = await freePortBlock(1);
    const foreground = child([
      'up',
      '--foreground',
      '--state',
      state,
      '--docker',
      'none',
      '--port',
      String(port),
      '--mesos-port',
      '0',
    ]);
    const client = new MarathonClient({ url: `http://127.0.0.1:${port}` });
    await until('it answers', 90_000, () =>
      client.info().then(
        ({ frameworkId }) => frameworkId,
        () => undefined,
      ),
    );
    await client.createApp({ id: '/here', instances: 1, ...SLEEP });
    await settled(client, '/here', 1);
    foreground.kill('SIGTERM');
    expect(await once(foreground, 'exit')).toEqual([0, null]);
    expect(processesOf(scratch)).toEqual([]);
    await slipway('down', '--state', state);
  });

  it('opens its fault switches only when asked to', async () => {
    await up();
    expect(await slipway('fault', 'set', '{}', '--state', state)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('without fault switches'),
    });
    await slipway('down', '--state', state);
    await up('--faults');
    const file = join(scratch, 'faults.json');
    writeFileSync(
      file,
      JSON.stringify({ agents: { 'prod-1': 'lost' }, routes: [{ kind: '503-before', path: '^/v2/info' }] }),
    );
    expect((await slipway('fault', 'set', file, '--state', state)).code).toBe(0);
    expect((await slipway('fault', 'list', '--state', state)).stdout).toMatch(/503-before .*\nlost +agent prod-1/);
    expect((await slipway('fault', 'set', '{"agents":{"x":"lost"}}', '--state', state)).stderr).toContain(
      'no such agent',
    );
    expect((await slipway('fault', 'clear', '--state', state)).code).toBe(0);
    await slipway('down', '--state', state);
  });

  it('keeps its state while something can not be ended, so that down can be said again', async () => {
    const socketPath = join(scratch, 'engine.sock');
    const agents = [{ name: 'one', cpus: 1, mem: 32, portRange: [31000, 31009] as [number, number] }];
    new CellDirectory(state).writeOptions({ mesos: { agents, docker: { socketPath } } });
    mkdirSync(join(state, 'mesos/agents/one'), { recursive: true });
    expect(await slipway('down', '--state', state)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(socketPath),
    });
    expect(existsSync(state)).toBe(true);
    symlinkSync(engine.socketPath, socketPath);
    expect(await slipway('down', '--state', state)).toMatchObject({ code: 0 });
    expect(existsSync(state)).toBe(false);
  });

  it('says what is wrong with what was asked', async () => {
    const taken = await freePortBlock(1);
    const other = await import('node:http').then(({ createServer }) => createServer().listen(taken, '127.0.0.1'));
    const none = ['--docker', 'none', '--state', state];
    expect(await slipway('up', ...none, '--port', String(taken), '--mesos-port', '0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`port ${taken} for Marathon is taken`),
    });
    other.close();
    expect(await slipway('up', ...none, '--agents', 'env')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not name:value'),
    });
    expect(await slipway('up', ...none, '--cpus', 'x')).toMatchObject({ code: 2 });
    expect(await slipway('up', '--state', state, '--docker', '/nowhere.sock')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('/nowhere.sock'),
    });
    writeFileSync(join(scratch, 'mine'), '');
    expect(await slipway('up', '--docker', 'none', '--state', scratch)).toMatchObject({
      stderr: expect.stringContaining('holds other things'),
    });
    expect(existsSync(join(scratch, 'mine'))).toBe(true);
  });
});

async function killed(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until('it is dead', 30_000, () => new CellDirectory(state).process() === undefined);
}
