/** What operators order of agents, and what frameworks are told of it; the same on the embedded Mesos and on a real one. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { TaskStatus } from '../../activities/mesos/types.ts';
import type { TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { DONE, kindsOf, operatorSuite, toldOf } from '../mesos-rig/operator-suite.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-operator-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Launches a task that sleeps, and gives the pid of its process. */
async function launchProcess(framework: TestFramework, hostname: string, taskId: string): Promise<number> {
  const file = join(directory, `${framework.id}-${taskId}`);
  await framework.launch(hostname, { task_id: { value: taskId }, command: { value: `echo $$ > ${file}; sleep 300` } });
  await framework.state(taskId, 'TASK_RUNNING');
  return Number(await until('its pid', 30_000, () => existsSync(file) && readFileSync(file, 'utf8')));
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

describeOnEachMesos('agents in service', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
  const { call, framework, idOf, shown } = operatorSuite(under);

  under.it('that are deactivated run what they run and are offered to nobody', async () => {
    const test = await framework();
    await test.launch('a', { task_id: { value: 'stays' }, command: { value: 'sleep 300' } });
    await test.state('stays', 'TASK_RUNNING');
    await until('an offer', 30_000, () => test.offers.size === 1);
    const agent_id = { value: idOf('a') };
    expect(await call({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id } })).toEqual(DONE);
    await until('the offer is rescinded', 30_000, () => test.offers.size === 0);
    expect(await shown('a')).toMatchObject({ active: false, deactivated: true });
    expect(await call({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id } })).toEqual(DONE);
    const before = test.events.length;
    await test.client.revive();
    await test.client.reconcile([]);
    await until('an answer', 30_000, () => test.updates.some(({ reason }) => reason === 'REASON_RECONCILIATION'));
    expect(kindsOf(test).slice(before)).toEqual(['TASK_RUNNING']);
    expect(await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).toEqual(DONE);
    await until('an offer again', 30_000, () => test.offers.size === 1);
    expect(await shown('a')).toMatchObject({ active: true, deactivated: false });
    expect(await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).toEqual({
      status: 400,
      body: 'Agent is not deactivated',
    });
  });

  under.it('drain: tasks get no more grace than granted, and the last acknowledgement ends it', async () => {
    const test = await framework();
    const stubborn = { value: 'trap "" TERM; while :; do sleep 0.1; done' };
    const grace_period = { nanoseconds: 600e9 };
    await test.launch('a', { task_id: { value: 'stubborn' }, command: stubborn, kill_policy: { grace_period } });
    await test.state('stubborn', 'TASK_RUNNING');
    await until('an offer', 30_000, () => test.offers.size === 1);
    test.acknowledging = false;
    const before = test.events.length;
    const agent_id = { value: idOf('a') };
    const drain_agent = { agent_id, max_grace_period: { seconds: 1 } };
    expect(await call({ type: 'DRAIN_AGENT', drain_agent })).toEqual(DONE);
    const killing = await test.state('stubborn', 'TASK_KILLING');
    expect(await shown('a')).toMatchObject({
      active: false,
      deactivated: true,
      drain_info: { state: 'DRAINING', config: { max_grace_period: { nanoseconds: 1e9 }, mark_gone: false } },
      estimated_drain_start_time: { nanoseconds: expect.any(Number) },
    });
    await test.client.acknowledge(killing);
    const killed = await test.state('stubborn', 'TASK_KILLED');
    expect([killing, killed].map(({ reason, source }) => [reason, source])).toEqual([
      ['REASON_AGENT_DRAINING', 'SOURCE_EXECUTOR'],
      ['REASON_AGENT_DRAINING', 'SOURCE_EXECUTOR'],
    ]);
    expect(kindsOf(test).slice(before)).toEqual(['RESCIND', 'TASK_KILLING', 'TASK_KILLED']);
    expect(await shown('a')).toMatchObject({ drain_info: { state: 'DRAINING' } });
    expect(await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).toEqual({
      status: 400,
      body: 'Agent is still in the DRAINING state',
    });
    await test.client.acknowledge(killed);
    await until('DRAINED', 30_000, async () => (await shown('a'))?.drain_info?.state === 'DRAINED');
    expect(await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).toEqual(DONE);
    await until('an offer', 30_000, () => test.offers.size === 1);
    expect(await shown('a')).not.toHaveProperty('drain_info');
    expect(await shown('a')).not.toHaveProperty('estimated_drain_start_time');
  });

  under.it('without tasks have drained at once', async () => {
    const agent_id = { value: idOf('a') };
    await until('no task', 30_000, async () => {
      const { body } = await call({ type: 'GET_TASKS' });
      return (body as { get_tasks: { tasks: unknown[] } }).get_tasks.tasks.length === 0;
    });
    expect(await call({ type: 'DRAIN_AGENT', drain_agent: { agent_id } })).toEqual(DONE);
    await until('DRAINED', 30_000, async () => (await shown('a'))?.drain_info?.state === 'DRAINED');
    expect((await shown('a'))?.drain_info?.config).toEqual({ mark_gone: false });
    expect(await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).toEqual(DONE);
  });
});

describeOnEachMesos(
  'agents that leave',
  {
    agents: [
      { name: 'drained', attributes: '' },
      { name: 'gone', attributes: '' },
      { name: 'cut', attributes: '' },
    ],
    losesAgents: true,
  },
  (under) => {
    const { call, framework, idOf, shown } = operatorSuite(under);

    /** The state of each task in each list of `GET_TASKS`. */
    async function listedTasks(): Promise<Record<string, Record<string, string>>> {
      const { body } = await call({ type: 'GET_TASKS' });
      const { get_tasks } = body as { get_tasks: Record<string, { task_id: { value: string }; state: string }[]> };
      return Object.fromEntries(
        Object.entries(get_tasks).map(([list, tasks]) => [
          list,
          Object.fromEntries(tasks.map(({ task_id, state }) => [task_id.value, state])),
        ]),
      );
    }

    under.it('are gone when they have drained, if that was ordered', async () => {
      const test = await framework();
      const process = await launchProcess(test, 'drained', 'last');
      const agent_id = { value: idOf('drained') };
      expect(await call({ type: 'DRAIN_AGENT', drain_agent: { agent_id, mark_gone: true } })).toEqual(DONE);
      const gone = await test.state('last', 'TASK_GONE_BY_OPERATOR');
      expect(gone).toMatchObject({ reason: 'REASON_AGENT_DRAINING', source: 'SOURCE_EXECUTOR' });
      await until('the agent failed', 30_000, () => kindsOf(test).includes('FAILURE'));
      expect(await shown('drained')).toBeUndefined();
      await until('its process ends', 30_000, () => !isRunning(process));
      expect(await call({ type: 'DRAIN_AGENT', drain_agent: { agent_id } })).toEqual({
        status: 400,
        body: 'Unknown agent',
      });
    });

    under.it('are marked gone: frameworks hear of tasks, then offers, then the agent', async () => {
      const aware = await framework();
      const process = await launchProcess(aware, 'gone', 'aware');
      const offered = await until('an offer of it', 30_000, () =>
        [...aware.offers.values()].find(({ hostname }) => hostname === 'gone'),
      );
      // Not before: it uses less, so what is left of the agent would be its own.
      const old = await framework({ capabilities: [{ type: 'MULTI_ROLE' }] });
      await aware.client.suppress();
      await aware.client.decline([offered.id]);
      await old.launch('gone', { task_id: { value: 'old' }, command: { value: 'sleep 300' } });
      await old.state('old', 'TASK_RUNNING');
      await until('an offer of it', 30_000, () => [...old.offers.values()].some(({ hostname }) => hostname === 'gone'));
      const [before, beforeOld] = [aware.events.length, old.events.length];
      const agent_id = { value: idOf('gone') };
      expect(await call({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } })).toEqual(DONE);
      await until('all is told', 30_000, () => [aware, old].every((each) => kindsOf(each).includes('FAILURE')));
      expect(kindsOf(aware).slice(before)).toEqual(['TASK_GONE_BY_OPERATOR', 'FAILURE']);
      expect(kindsOf(old).slice(beforeOld)).toEqual(['TASK_LOST', 'RESCIND', 'FAILURE']);
      const words = ['SOURCE_MASTER', 'Agent has been marked gone'];
      expect(toldOf(aware, 'aware').at(-1)).toEqual([
        'TASK_GONE_BY_OPERATOR',
        'REASON_AGENT_REMOVED_BY_OPERATOR',
        ...words,
      ]);
      expect(toldOf(old, 'old').at(-1)).toEqual(['TASK_LOST', 'REASON_AGENT_REMOVED', ...words]);
      // What a framework that does not know of partitions has lost counts as out of reach.
      expect(await listedTasks()).toMatchObject({
        unreachable_tasks: { old: 'TASK_LOST' },
        completed_tasks: { aware: 'TASK_GONE_BY_OPERATOR' },
      });
      expect(await call({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } })).toEqual(DONE);
      expect(await shown('gone')).toBeUndefined();
      await until('its process ends', 30_000, () => !isRunning(process));
      for (const [each, word] of [
        [aware, 'TASK_GONE_BY_OPERATOR'],
        [old, 'TASK_LOST'],
      ] as const) {
        await each.client.reconcile([{ taskId: { value: 'ghost' }, agentId: agent_id }]);
        expect(await each.state('ghost', word)).toMatchObject({ message: 'Reconciliation: Task is gone' });
      }
    });

    under.it('are unreachable after a while of silence, and their tasks are back with them', async () => {
      const aware = await framework();
      const old = await framework({ capabilities: [{ type: 'MULTI_ROLE' }] });
      await aware.launch('cut', { task_id: { value: 'aware' }, command: { value: 'sleep 300' } });
      await aware.state('aware', 'TASK_RUNNING');
      await aware.client.suppress();
      for (const { id } of aware.offers.values()) await aware.client.decline([id]);
      await old.launch('cut', { task_id: { value: 'old' }, command: { value: 'sleep 300' } });
      await old.state('old', 'TASK_RUNNING');
      const agent_id = { value: idOf('cut') };
      under.mesos.partition('cut');
      const unreachable = await aware.state('aware', 'TASK_UNREACHABLE');
      const lost = await old.state('old', 'TASK_LOST');
      for (const status of [unreachable, lost] as TaskStatus[]) {
        expect(status).toMatchObject({
          reason: 'REASON_AGENT_REMOVED',
          source: 'SOURCE_MASTER',
          message: 'health check timed out',
        });
        expect(status.unreachable_time?.nanoseconds).toBeGreaterThan(1.7e18);
        expect(status.uuid).toBeUndefined();
      }
      await aware.client.reconcile([{ taskId: { value: 'aware' }, agentId: agent_id }]);
      const again = await until('an answer', 30_000, () =>
        aware.updates.find(({ message }) => message === 'Reconciliation: Task is unreachable'),
      );
      expect(again).toMatchObject({ state: 'TASK_UNREACHABLE', unreachable_time: unreachable.unreachable_time });
      await until('both heard of the agent', 30_000, () =>
        [aware, old].every((each) => kindsOf(each).includes('FAILURE')),
      );
      await under.mesos.heal('cut');
      const back = await until('the task is back', 20_000, () =>
        aware.updates.find(({ reason }) => reason === 'REASON_AGENT_REREGISTERED'),
      );
      const oldBack = await until('the other too', 20_000, () =>
        old.updates.find(({ reason }) => reason === 'REASON_AGENT_REREGISTERED'),
      );
      expect([back, oldBack].map(({ state, source, uuid }) => [state, source, uuid])).toEqual(
        Array(2).fill(['TASK_RUNNING', 'SOURCE_MASTER', undefined]),
      );
    });

    under.it('are marked gone while they are unreachable, and their tasks with them', async () => {
      const aware = await framework();
      const process = await launchProcess(aware, 'cut', 'far');
      const agent_id = { value: idOf('cut') };
      under.mesos.partition('cut');
      await aware.state('far', 'TASK_UNREACHABLE');
      await until('the agent failed', 30_000, () => kindsOf(aware).includes('FAILURE'));
      const before = aware.events.length;
      expect(await call({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } })).toEqual(DONE);
      await aware.state('far', 'TASK_GONE_BY_OPERATOR');
      expect(toldOf(aware, 'far').at(-1)).toEqual([
        'TASK_GONE_BY_OPERATOR',
        'REASON_AGENT_REMOVED_BY_OPERATOR',
        'SOURCE_MASTER',
        'Agent has been marked gone',
      ]);
      const { unreachable_tasks, completed_tasks } = await listedTasks();
      expect([unreachable_tasks, completed_tasks?.['far']]).toEqual([{}, 'TASK_GONE_BY_OPERATOR']);
      await aware.client.reconcile([{ taskId: { value: 'ghost' }, agentId: agent_id }]);
      expect(await aware.state('ghost', 'TASK_GONE_BY_OPERATOR')).toMatchObject({
        message: 'Reconciliation: Task is gone',
      });
      expect(kindsOf(aware).slice(before)).toEqual(['TASK_GONE_BY_OPERATOR', 'TASK_GONE_BY_OPERATOR']);
      expect(isRunning(process)).toBe(true);
      await under.mesos.heal('cut');
      await until('its process ends', 30_000, () => !isRunning(process));
    });
  },
);
