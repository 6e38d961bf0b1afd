/** What operators ordered outlives the cell: a kill -9 forgets nothing of it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { processesOf, signalProcess } from '../../cell/mesos/processes.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { operatorCall } from '../mesos-rig/operator-call.ts';
import { type CellProcess, startCell } from './mesos-cell-process.ts';
import { TestFramework } from './mesos-framework.ts';
import { until } from './mesos-until.ts';

const PORTS_EACH = 10;
const NAMES = ['idle', 'drained', 'gone', 'later', 'down', 'left'] as const;
type Name = (typeof NAMES)[number];
/** Long enough to ask while an agent is still waited for, also on a busy machine. */
const REREGISTER_MS = 12_000;

let directory: string;
let started: CellProcess;
let framework: TestFramework;
/** Of before the kill. */
let ids: Readonly<Record<Name, string>>;
let gonePid: number;
/** Of a task whose agent does not come back. */
let leftContainer: string;

const START = { start: { nanoseconds: 1893456000000000000 } };
const machine = (hostname: Name) => ({ hostname, ip: '127.0.0.1' });
const call = async (body: object) => {
  const { status, body: answer } = await operatorCall(started.masterUrl, body);
  expect([status, answer]).toEqual([200, expect.anything()]);
  return answer as Record<string, unknown>;
};
const order = (type: string, part: object) => operatorCall(started.masterUrl, { type, [type.toLowerCase()]: part });

interface Shown {
  readonly agent_info: { readonly id: { readonly value: string }; readonly hostname: string };
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly drain_info?: { readonly state: string };
}
const agents = async (): Promise<Record<string, Shown>> => {
  const { get_agents } = await call({ type: 'GET_AGENTS' });
  const shown = (get_agents as { agents: Shown[] }).agents;
  return Object.fromEntries(shown.map((agent) => [agent.agent_info.hostname, agent]));
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-registry-'));
  const first = await freePortBlock(NAMES.length * PORTS_EACH);
  const options = {
    stateDir: join(directory, 'state'),
    allocationIntervalMs: 50,
    stopGraceMs: 500,
    agentReregisterTimeoutMs: REREGISTER_MS,
    agents: NAMES.map((name, index) => {
      const begin = first + index * PORTS_EACH;
      return {
        name,
        attributes: '',
        cpus: 1,
        mem: 256,
        portRange: [begin, begin + PORTS_EACH - 1] as [number, number],
      };
    }),
  };
  started = await startCell(options);
  const all = await agents();
  ids = Object.fromEntries(NAMES.map((name) => [name, all[name]?.agent_info.id.value])) as typeof ids;
  const before = await new TestFramework(started.masterUrl).connected();
  const pidFile = join(directory, 'pid');
  await before.launch('drained', {
    task_id: { value: 'stubborn' },
    command: { value: 'trap "" TERM; while :; do sleep 0.1; done' },
    kill_policy: { grace_period: { nanoseconds: 600e9 } },
  });
  await before.launch('gone', { task_id: { value: 'gone' }, command: { value: `echo $$ > ${pidFile}; sleep 300` } });
  await before.launch('left', { task_id: { value: 'left' }, command: { value: 'sleep 300' } });
  for (const task of ['stubborn', 'gone', 'left']) await before.state(task, 'TASK_RUNNING');
  gonePid = Number(
    await until('its pid', 30_000, () => (existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim()) || undefined),
  );
  leftContainer = (await before.state('left', 'TASK_RUNNING')).container_status?.container_id?.value ?? '';
  const windows = [{ machine_ids: [machine('later'), machine('down')], unavailability: START }];
  const agent_id = (name: Name) => ({ agent_id: { value: ids[name] } });
  for (const [type, part] of [
    ['DEACTIVATE_AGENT', agent_id('idle')],
    ['UPDATE_MAINTENANCE_SCHEDULE', { schedule: { windows } }],
    ['START_MAINTENANCE', { machines: [machine('down')] }],
    ['DRAIN_AGENT', { ...agent_id('drained'), max_grace_period: { seconds: 8 } }],
    ['MARK_AGENT_GONE', agent_id('gone')],
  ] as const) {
    expect(await order(type, part)).toEqual({ status: 200, body: '' });
  }
  await started.crash();
  await before.ended();
  started = await startCell({ ...options, agents: options.agents.filter(({ name }) => name !== 'left') });
  framework = await new TestFramework(started.masterUrl, { id: { value: before.id } }).connected();
}, 180_000);
afterAll(async () => {
  for (const { pid } of processesOf(leftContainer)) signalProcess(pid, 'SIGKILL');
  await started.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('after a kill -9', () => {
  it('nobody is told of a task on an agent that may still come, until its time is over', async () => {
    const { get_agents } = await call({ type: 'GET_AGENTS' });
    const { recovered_agents } = get_agents as { recovered_agents: Shown['agent_info'][] };
    expect(recovered_agents.map(({ hostname, id }) => [hostname, id.value])).toEqual([['left', ids.left]]);
    await framework.client.reconcile([
      { taskId: { value: 'left' }, agentId: { value: ids.left } },
      { taskId: { value: 'nobody' } },
      { taskId: { value: 'last' }, agentId: { value: ids.idle } },
    ]);
    await framework.state('last', 'TASK_GONE');
    expect(framework.updates.filter(({ task_id }) => ['left', 'nobody'].includes(task_id.value))).toEqual([]);
    await until('it is unreachable', REREGISTER_MS + 30_000, async () => {
      await framework.client.reconcile([{ taskId: { value: 'left' }, agentId: { value: ids.left } }]);
      return framework.updates.some(({ task_id, state }) => task_id.value === 'left' && state === 'TASK_UNREACHABLE');
    });
    await framework.client.reconcile([{ taskId: { value: 'nobody' } }]);
    await framework.state('nobody', 'TASK_UNKNOWN');
  });

  it('an agent is still deactivated, and another still drains to its end', async () => {
    expect((await agents())['idle']).toMatchObject({ active: false, deactivated: true });
    expect(await framework.state('stubborn', 'TASK_KILLED')).toMatchObject({ reason: 'REASON_AGENT_DRAINING' });
    await until('DRAINED', 30_000, async () => (await agents())['drained']?.drain_info?.state === 'DRAINED');
    for (const name of ['idle', 'drained'] as const) {
      const part = { agent_id: { value: ids[name] } };
      expect(await order('REACTIVATE_AGENT', part)).toEqual({ status: 200, body: '' });
    }
    await until('both are offered', 30_000, () => {
      const hosts = [...framework.offers.values()].map(({ hostname }) => hostname);
      return hosts.includes('idle') && hosts.includes('drained');
    });
  });

  it('an agent that is gone stays gone, its processes end, and the next one has another id', async () => {
    await until('its process ends', 30_000, () => !existsSync(`/proc/${gonePid}`));
    const next = (await agents())['gone']?.agent_info.id.value;
    expect(next).toBeDefined();
    expect(next).not.toBe(ids.gone);
    await framework.client.reconcile([{ taskId: { value: 'gone' }, agentId: { value: ids.gone } }]);
    expect(await framework.state('gone', 'TASK_GONE_BY_OPERATOR')).toMatchObject({
      message: 'Reconciliation: Task is gone',
    });
    expect(await order('MARK_AGENT_GONE', { agent_id: { value: ids.gone } })).toEqual({ status: 200, body: '' });
  });

  it('the schedule stands, and an agent comes back when its machine is up', async () => {
    const status = async () => (await call({ type: 'GET_MAINTENANCE_STATUS' }))['get_maintenance_status'];
    expect(await status()).toEqual({
      status: { draining_machines: [{ id: machine('later') }], down_machines: [machine('down')] },
    });
    expect(await agents()).not.toHaveProperty('down');
    const part = { machines: [machine('down')] };
    expect(await order('STOP_MAINTENANCE', part)).toEqual({ status: 200, body: '' });
    const back = await until('the agent', 30_000, async () => (await agents())['down']?.agent_info.id.value);
    expect(back).not.toBe(ids.down);
    const { get_maintenance_schedule } = await call({ type: 'GET_MAINTENANCE_SCHEDULE' });
    expect(get_maintenance_schedule).toEqual({
      schedule: { windows: [{ machine_ids: [machine('later')], unavailability: START }] },
    });
  });
});
