/** What a task is given and how it ends, in Docker containers and as commands, on both kinds of Mesos. */
import { afterAll, afterEach, beforeAll, describe, expect, jest } from '@jest/globals';
import { readAgentState, readSandboxFile, sandboxOf } from '../../activities/mesos/agent-files.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { TestFramework, type TestTask } from './mesos-framework.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(120_000);

let engine: TestEngine;
beforeAll(async () => {
  engine = await testEngine();
}, 120_000);
afterAll(() => engine?.stop());

const AGENTS = [
  { name: 'fat-1', attributes: 'env:fat' },
  { name: 'ci-1', attributes: 'role:ci' },
];

const probe = (id: string, args: readonly string[], more: Partial<TestTask> = {}): TestTask => ({
  task_id: { value: id },
  container: { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST' } },
  command: { shell: false, arguments: args },
  ...more,
});

const setup = async () => ({
  agents: AGENTS,
  dockerSocket: engine.socketPath,
  taskEnvironment: { FROM_AGENT: 'yes' },
});

describeOnEachMesos('tasks', setup, (under) => {
  const frameworks: TestFramework[] = [];

  afterEach(async () => {
    for (const framework of frameworks.splice(0)) {
      await framework.client.teardown();
      await framework.ended();
    }
    await until('no container is left', 45_000, async () => {
      return (await engine.docker.listContainers({ all: true })).length === 0;
    });
  });

  async function framework(): Promise<TestFramework> {
    const started = await new TestFramework(under.mesos.masterUrl).connected();
    frameworks.push(started);
    return started;
  }

  /** The lines of a file of the sandbox; a real executor writes some of its own. */
  async function linesOf(of: TestFramework, agent: string, taskId: string, file: string): Promise<readonly string[]> {
    const url = under.mesos.agents.find(({ name }) => name === agent)?.url ?? '';
    const directory = sandboxOf(await readAgentState(url), of.id, taskId);
    return ((await readSandboxFile(url, `${directory}/${file}`))?.toString() ?? '').split('\n');
  }

  describe('in a container', () => {
    under.it('have their own environment, tell how they ended, and leave their output in the sandbox', async () => {
      const test = await framework();
      const environment = { variables: [{ name: 'PORT0', value: '31005' }] };
      const command = { shell: false, arguments: ['print', '7'], environment };
      await test.launch('fat-1', probe('hello', [], { command }));
      expect(await test.state('hello', 'TASK_FAILED')).toMatchObject({
        message: 'Container exited with status 7',
        source: 'SOURCE_EXECUTOR',
      });
      expect(test.updates.map(({ state }) => state)).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
      expect(await linesOf(test, 'fat-1', 'hello', 'stdout')).toEqual(
        expect.arrayContaining(['PORT0=31005', 'MESOS_SANDBOX=/mnt/mesos/sandbox']),
      );
      expect(await linesOf(test, 'fat-1', 'hello', 'stderr')).toContain('to stderr');
    });

    under.it('have failed on the agent when their image can not be had', async () => {
      const test = await framework();
      const image = '127.0.0.1:1/no/such:image';
      await test.launch('fat-1', probe('lost', [], { container: { type: 'DOCKER', docker: { image } } }));
      const failed = await test.state('lost', 'TASK_FAILED');
      expect(failed).toMatchObject({ source: 'SOURCE_AGENT', reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
      expect(failed.message).toMatch(/connection refused/);
    });

    under.it('are killed after the grace period when they do not listen', async () => {
      const test = await framework();
      const { task_id } = await test.launch('fat-1', probe('stubborn', ['stubborn']));
      await test.state('stubborn', 'TASK_RUNNING');
      const before = Date.now();
      await test.client.kill({ taskId: task_id, killPolicy: { grace_period: { nanoseconds: '1000000000' } } });
      const killed = await test.state('stubborn', 'TASK_KILLED');
      expect(killed.message).toBe('Container exited with status 137');
      expect((killed.timestamp ?? 0) * 1000 - before).toBeGreaterThanOrEqual(900);
      expect(test.updates.map(({ state }) => state)).toContain('TASK_KILLING');
    });
  });

  describe('as a command', () => {
    under.it('run in their sandbox and tell how they ended', async () => {
      const test = await framework();
      const environment = { variables: [{ name: 'OWN', value: 'mine' }] };
      const command = { value: 'pwd; echo $FROM_AGENT $OWN; echo oops >&2; exit 3', environment };
      await test.launch('ci-1', { task_id: { value: 'build' }, command });
      expect(await test.state('build', 'TASK_FAILED')).toMatchObject({ message: 'Command exited with status 3' });
      const lines = await linesOf(test, 'ci-1', 'build', 'stdout');
      expect(lines).toContain('yes mine');
      expect(lines).toContainEqual(expect.stringMatching(/\/executors\/build\/runs\/[^/]+$/));
      expect(await linesOf(test, 'ci-1', 'build', 'stderr')).toContain('oops');
    });

    under.it('may be a program with arguments', async () => {
      const test = await framework();
      const command = { shell: false, value: '/bin/echo', arguments: ['echo', '$HOME', 'a  b'] };
      await test.launch('ci-1', { task_id: { value: 'words' }, command });
      await test.state('words', 'TASK_FINISHED');
      expect(await linesOf(test, 'ci-1', 'words', 'stdout')).toContain('$HOME a  b');
    });

    under.it('end at once on SIGTERM', async () => {
      const test = await framework();
      const { task_id } = await test.launch('ci-1', {
        task_id: { value: 'asked' },
        command: { value: 'exec sleep 300' },
      });
      await test.state('asked', 'TASK_RUNNING');
      await test.client.kill({ taskId: task_id });
      expect(await test.state('asked', 'TASK_KILLED')).toMatchObject({
        message: 'Command terminated with signal Terminated',
      });
      expect(test.updates.map(({ state }) => state)).toEqual([
        ...['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED'],
      ]);
    });
  });
});
