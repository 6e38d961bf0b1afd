/** What holds tasks to the resources they asked for: the Docker engine, and control groups where they are wanted. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Cgroups } from '../../cell/mesos/cgroups.ts';
import { removeLeftovers } from '../../cell/mesos/leftovers.ts';
import { processesOf } from '../../cell/mesos/processes.ts';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { makeHungry, PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { scalar, TestFramework } from './mesos-framework.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(120_000);

/** Why there are no control groups here; undefined where there are. */
const missing = await new Promise<string | undefined>((resolve) => {
  try {
    const cgroups = new Cgroups('a try');
    cgroups.close().then(
      () => resolve(undefined),
      (error: unknown) => resolve(String(error)),
    );
  } catch (error) {
    resolve(String(error));
  }
});

let engine: TestEngine;
let stateDir: string;
let cell: MesosCell;
let test: TestFramework;
let before: readonly string[];

beforeAll(async () => {
  before = groups();
  engine = await testEngine();
  stateDir = mkdtempSync(join(tmpdir(), 'mesos-limits-'));
  const first = await freePortBlock(10);
  cell = await startMesos({
    docker: { socketPath: engine.socketPath },
    stateDir,
    isolation: missing === undefined ? 'cgroups' : 'posix',
    allocationIntervalMs: 50,
    stopGraceMs: 300,
    agents: [{ name: 'one', cpus: 4, mem: 2048, portRange: [first, first + 9] }],
  });
  test = await new TestFramework(cell.masterUrl).connected();
}, 120_000);
afterAll(async () => {
  await test?.disconnect();
  await cell?.stop();
  await engine?.stop();
  if (missing === undefined) {
    await removeLeftovers(join(stateDir, 'agents'), { isolation: 'cgroups' });
    expect(groups().filter((name) => !before.includes(name))).toEqual([]);
  }
  rmSync(stateDir, { recursive: true });
});

const resources = [scalar('cpus', 0.5), scalar('mem', 48)];
/** A shell that doubles a text until it is stopped: a process of its own, so that the shell around it survives. */
const EAT = "sh -c 'a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done'";

describe('a Docker task', () => {
  it('has CPU shares and memory as Mesos reckons them', async () => {
    const { task_id } = await test.launch('one', {
      task_id: { value: 'docker' },
      container: { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST' } },
      command: { shell: false, arguments: ['count'] },
      resources,
    });
    const { container_status } = await test.state(task_id.value, 'TASK_RUNNING');
    const { HostConfig } = await engine.docker.getContainer(`mesos-${container_status?.container_id?.value}`).inspect();
    expect([HostConfig.CpuShares, HostConfig.Memory]).toEqual([512, 48 * 1024 * 1024]);
    await test.client.kill({ taskId: task_id });
    await test.state(task_id.value, 'TASK_KILLED');
  });

  it('that takes more memory fails and says so', async () => {
    await test.launch('one', {
      task_id: { value: 'docker-eats' },
      container: { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST' } },
      command: { shell: false, arguments: ['eat'] },
      resources,
    });
    const { container_status } = await test.state('docker-eats', 'TASK_RUNNING');
    await makeHungry(engine.docker, container_status?.container_id?.value ?? '');
    expect(await test.state('docker-eats', 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
      message: expect.stringContaining('out of memory'),
    });
  });
});

if (missing !== undefined) {
  describe('a command task', () => {
    it.skip(`has limits: ${missing}`, () => undefined);
  });
} else {
  describe('a command task with cgroups', () => {
    it('has CPU shares and memory as Mesos reckons them, with all that it starts', async () => {
      await test.launch('one', {
        task_id: { value: 'limited' },
        command: { value: 'sleep 100 & sleep 100' },
        resources,
      });
      const { container_status } = await test.state('limited', 'TASK_RUNNING');
      const id = container_status?.container_id?.value ?? '';
      await until('all of it runs', 30_000, () => processesOf(id).length >= 3);
      for (const { pid } of processesOf(id)) expect(groupsOf(pid)).toContain(id);
      const limit = ['memory.max', 'memory.limit_in_bytes'].map((file) => groupFile(id, file)).find(Boolean);
      expect(limit).toBe(String(48 * 1024 * 1024));
      expect(['cpu.weight', 'cpu.shares'].map((file) => groupFile(id, file)).find(Boolean)).toMatch(/^(20|512)$/);
      await test.client.kill({ taskId: { value: 'limited' } });
      await test.state('limited', 'TASK_KILLED');
      await until('its groups are gone', 30_000, () => groupFile(id, 'cgroup.procs') === undefined);
    });

    it('that takes more memory is ended as a whole and says so', async () => {
      await test.launch('one', { task_id: { value: 'eats' }, command: { value: `${EAT}; sleep 100` }, resources });
      const { container_status } = await test.state('eats', 'TASK_RUNNING');
      expect(await test.state('eats', 'TASK_FAILED')).toMatchObject({
        reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
        message: expect.stringMatching(/^Memory limit exceeded: Requested: 48MB/),
      });
      expect(processesOf(container_status?.container_id?.value ?? '')).toEqual([]);
    });

    it('of an agent that is no more leaves no group behind', async () => {
      const agents = join(stateDir, 'no-more');
      const cgroups = new Cgroups(join(agents, 'one/work'));
      const [procs = ''] = cgroups.create('orphan', { ...TASK, resources });
      expect(existsSync(procs)).toBe(true);
      mkdirSync(join(agents, 'one/work'), { recursive: true });
      await removeLeftovers(agents, { isolation: 'cgroups' });
      expect(existsSync(procs)).toBe(false);
    });
  });
}

const TASK = { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' } };

const groupsOf = (pid: number) => readFileSync(`/proc/${pid}/cgroup`, 'utf8');

/** Where cells have their groups, as far as there are any. */
function groupRoots(): string[] {
  return ['', 'memory', 'cpu']
    .map((controller) => join('/sys/fs/cgroup', controller, 'slipway-cell'))
    .filter((root) => existsSync(root));
}

/** The groups of agents, of this cell or of others on the machine. */
function groups(): string[] {
  return groupRoots().flatMap((root) =>
    readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? join(root, entry.name) : [])),
  );
}

/** A file of a task's group, wherever the version has it. */
function groupFile(id: string, file: string): string | undefined {
  const found = groupRoots()
    .flatMap((root) => readdirSync(root).map((agent) => join(root, agent, id, file)))
    .find((path) => existsSync(path));
  return found === undefined ? undefined : readFileSync(found, 'utf8').trim();
}
