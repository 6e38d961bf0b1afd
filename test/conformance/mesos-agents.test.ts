/** Agents that fall silent, break off and come back, and what frameworks and operators are told, on both kinds of Mesos. */
import { afterEach, describe, expect, jest } from '@jest/globals';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import { TestFramework, type TestTask } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { openStream, type RawStream } from '../mesos-rig/raw-stream.ts';

jest.setTimeout(180_000);

const sleep = (id: string): TestTask => ({ task_id: { value: id }, command: { value: 'exec sleep 300' } });

const NOT_AWARE = { capabilities: [{ type: 'MULTI_ROLE' }] };

const setup = {
  agents: [
    { name: 'firm', attributes: 'env:fat;rack:2;load:1.5;span:[1-3]' },
    { name: 'weak', attributes: 'env:uat' },
  ],
  losesAgents: true,
};

describeOnEachMesos('agents', setup, (under) => {
  const frameworks: TestFramework[] = [];
  const streams: RawStream[] = [];

  afterEach(async () => {
    await under.mesos.restoreAgents();
    for (const stream of streams.splice(0)) stream.close();
    for (const framework of frameworks.splice(0)) {
      await framework.client.teardown();
      await framework.ended();
    }
    await until('both agents are there', 20_000, async () => (await activeAgents()).length === 2);
  });

  const operator = () => new OperatorClient({ master: under.mesos.masterUrl, timeoutMs: 5_000 });
  const idOf = (name: string) => under.mesos.agents.find((agent) => agent.name === name)?.id ?? '';

  const activeAgents = async () =>
    (await operator().getAgents()).flatMap(({ active, agent_info }) => (active ? [agent_info.hostname] : []));

  async function framework(info: object = {}): Promise<TestFramework> {
    const started = await new TestFramework(under.mesos.masterUrl, info).connected();
    frameworks.push(started);
    return started;
  }

  async function operatorStream(): Promise<RawStream> {
    const stream = await openStream(`${under.mesos.masterUrl}/api/v1`, { type: 'SUBSCRIBE' });
    streams.push(stream);
    await until('SUBSCRIBED', 30_000, () => stream.events.length > 0);
    return stream;
  }

  describe('attributes', () => {
    under.it('have the types that Mesos reads from their words', async () => {
      const agents = await operator().getAgents();
      expect(agents.find(({ agent_info }) => agent_info.hostname === 'firm')?.agent_info.attributes).toEqual([
        { name: 'env', type: 'TEXT', text: { value: 'fat' } },
        { name: 'rack', type: 'SCALAR', scalar: { value: 2 } },
        { name: 'load', type: 'SCALAR', scalar: { value: 1.5 } },
        { name: 'span', type: 'RANGES', ranges: { range: [{ begin: 1, end: 3 }] } },
      ]);
    });

    under.it('are flat in /state', async () => {
      const text = await (await fetch(`${under.mesos.masterUrl}/state`)).text();
      const { slaves } = JSON.parse(text) as { slaves: { hostname: string; attributes: object }[] };
      expect(slaves.find(({ hostname }) => hostname === 'firm')?.attributes).toEqual({
        env: 'fat',
        rack: 2,
        load: 1.5,
        span: '[1-3]',
      });
      expect(text).toContain('"rack":2.0');
    });
  });

  under.it('tell how they are set', async () => {
    const { url } = under.mesos.agents.find(({ name }) => name === 'firm') ?? { url: '' };
    const read = async (path: string) => (await fetch(url + path)).json() as Promise<{ flags: Record<string, string> }>;
    expect(await read('/metrics/snapshot')).toMatchObject({
      'slave/registered': 1,
      'slave/cpus_total': expect.any(Number),
    });
    const { flags } = await read('/slave(1)/flags');
    expect(flags).toMatchObject({
      attributes: 'env:fat;rack:2;load:1.5;span:[1-3]',
      default_role: '*',
      hostname: 'firm',
      ip: '127.0.0.1',
      isolation: 'posix/cpu,posix/mem',
      port: new URL(url).port,
      resources: expect.stringMatching(/^cpus:4;mem:4096;disk:10000;ports:\[\d+-\d+\];?$/),
      sandbox_directory: '/mnt/mesos/sandbox',
      work_dir: expect.stringMatching(/^\/.*\/work$/),
    });
    expect(await read('/flags')).toEqual({ flags });
    expect((await read('/state')).flags).toEqual(flags);
  });

  for (const [info, state] of [
    [{}, 'TASK_UNREACHABLE'],
    [NOT_AWARE, 'TASK_LOST'],
  ] as const) {
    under.it(`that fall silent leave ${state}, and their tasks are found when they speak again`, async () => {
      const test = await framework(info);
      const told = await operatorStream();
      await test.launch('weak', sleep('far'));
      await test.state('far', 'TASK_RUNNING');
      under.mesos.partition('weak');
      const status = await test.state('far', state);
      expect(status).toMatchObject({
        message: 'health check timed out',
        source: 'SOURCE_MASTER',
        reason: 'REASON_AGENT_REMOVED',
        agent_id: { value: idOf('weak') },
        unreachable_time: { nanoseconds: expect.any(Number) },
      });
      expect(status.uuid).toBeUndefined();
      const failure = await until('FAILURE', 30_000, () => test.events.find(({ type }) => type === 'FAILURE'));
      expect(failure).toEqual({ type: 'FAILURE', failure: { agent_id: { value: idOf('weak') } } });
      expect(await activeAgents()).toEqual(['firm']);
      await test.client.reconcile([{ taskId: { value: 'far' }, agentId: { value: idOf('weak') } }]);
      await test.update('the answer', ({ reason }) => reason === 'REASON_RECONCILIATION');
      expect(test.updates.at(-1)).toMatchObject({ state, message: 'Reconciliation: Task is unreachable' });

      test.updates.length = 0;
      await under.mesos.heal('weak');
      await until('the agent is back', 20_000, async () => (await activeAgents()).length === 2);
      await test.client.reconcile([{ taskId: { value: 'far' } }]);
      await test.state('far', 'TASK_RUNNING');
      expect(await test.update('its return', ({ reason }) => reason === 'REASON_AGENT_REREGISTERED')).toMatchObject({
        state: 'TASK_RUNNING',
        source: 'SOURCE_MASTER',
      });
      const seen = told.events.map(({ type }) => type).filter((type) => type !== 'HEARTBEAT');
      // Nothing tells that it was gone, but that it came.
      expect(seen).toEqual([
        ...['SUBSCRIBED', 'TASK_ADDED', 'TASK_UPDATED', 'TASK_UPDATED', 'TASK_UPDATED', 'TASK_ADDED', 'AGENT_ADDED'],
      ]);
    });
  }

  for (const [info, state] of [
    [{}, 'TASK_UNREACHABLE'],
    [NOT_AWARE, 'TASK_LOST'],
  ] as const) {
    under.it(`that break off lose their offers at once, and leave ${state} after the pings`, async () => {
      const test = await framework(info);
      await test.launch('weak', sleep('far'));
      await test.state('far', 'TASK_RUNNING');
      const offer = await until('the rest of the agent', 30_000, () =>
        [...test.offers.values()].find(({ hostname }) => hostname === 'weak'),
      );
      await under.mesos.breakOff('weak');
      expect(await test.state('far', state)).toMatchObject({ reason: 'REASON_AGENT_REMOVED' });
      await until('FAILURE', 30_000, () => test.events.some(({ type }) => type === 'FAILURE'));
      expect(test.events.slice(-3)).toMatchObject([
        { type: 'RESCIND', rescind: { offer_id: offer.id } },
        { type: 'UPDATE', update: { status: { state } } },
        { type: 'FAILURE' },
      ]);
      await under.mesos.comeBack('weak');
      const again = await until('an offer of it', 30_000, () =>
        [...test.offers.values()].find(({ hostname }) => hostname === 'weak'),
      );
      expect(again.agent_id.value).toBe(idOf('weak'));
    });

    under.it(`that break off leave TASK_LOST at once to a framework that does not checkpoint (${state})`, async () => {
      const test = await framework({ ...info, checkpoint: false });
      await test.launch('weak', sleep('volatile'));
      await test.state('volatile', 'TASK_RUNNING');
      await under.mesos.breakOff('weak');
      const status = await test.state('volatile', 'TASK_LOST');
      expect(status).toMatchObject({
        message: 'Agent weak disconnected',
        source: 'SOURCE_MASTER',
        reason: 'REASON_AGENT_DISCONNECTED',
      });
      expect(status.uuid).toBeUndefined();
      expect(status.unreachable_time).toBeUndefined();
      await under.mesos.comeBack('weak');
    });
  }

  under.it('do not count what was never launched on them', async () => {
    const told = await operatorStream();
    const test = await framework();
    await test.launch('firm', {
      ...sleep('fat'),
      resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 99 } }],
    });
    await test.state('fat', 'TASK_ERROR');
    await until('FRAMEWORK_ADDED', 30_000, () => told.events.some(({ type }) => type === 'FRAMEWORK_ADDED'));
    const seen = told.events.map(({ type }) => type).filter((type) => type !== 'HEARTBEAT');
    expect(seen).toEqual(['SUBSCRIBED', 'FRAMEWORK_ADDED']);
    expect(await operator().findTask(test.id, 'fat')).toBeUndefined();
  });
});
