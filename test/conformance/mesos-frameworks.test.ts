/** How a framework comes, comes again and goes, and what it is told of its tasks meanwhile, on both kinds of Mesos. */
import { afterEach, describe, expect, jest } from '@jest/globals';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import { scalar, TestFramework, type TestTask } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { openStream, type RawStream, subscribeRaw } from '../mesos-rig/raw-stream.ts';

jest.setTimeout(120_000);

const sleep = (id: string): TestTask => ({ task_id: { value: id }, command: { value: 'exec sleep 300' } });

describeOnEachMesos('frameworks', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
  const frameworks: TestFramework[] = [];
  const streams: RawStream[] = [];

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    for (const { id } of frameworks.splice(0)) await teardown(id);
    const state = async () => (await operator().getState()).get_frameworks.frameworks;
    await until('every framework is gone', 30_000, async () => (await state()).length === 0);
  });

  const operator = () => new OperatorClient({ master: under.mesos.masterUrl, timeoutMs: 5_000 });

  async function teardown(frameworkId: string): Promise<void> {
    await fetch(`${under.mesos.masterUrl}/api/v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'TEARDOWN', teardown: { framework_id: { value: frameworkId } } }),
    });
  }

  async function framework(info: object = {}): Promise<TestFramework> {
    const started = await new TestFramework(under.mesos.masterUrl, info).connected();
    frameworks.push(started);
    return started;
  }

  async function raw(info: object, headers?: Readonly<Record<string, string>>): Promise<RawStream> {
    const stream = await subscribeRaw(under.mesos.masterUrl, info, headers);
    streams.push(stream);
    return stream;
  }

  const offerOf = (of: TestFramework) => until('an offer', 30_000, () => [...of.offers.values()][0]);

  /** Answers to a question come after everything that was told before. */
  async function settled(of: TestFramework): Promise<void> {
    const marker = `marker-${of.updates.length}`;
    await of.client.reconcile([{ taskId: { value: marker } }]);
    await of.update(marker, ({ task_id }) => task_id.value === marker);
  }

  describe('a subscription', () => {
    under.it(
      'is records of length, newline and JSON, each an HTTP chunk: SUBSCRIBED, then a heartbeat and offers',
      async () => {
        const stream = await raw({ failover_timeout: 0 });
        await until('an offer', 30_000, () => stream.events.length > 2);
        expect(stream.status).toBe(200);
        expect(stream.headers).toMatchObject({
          'content-type': 'application/json',
          'transfer-encoding': 'chunked',
          'mesos-stream-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        });
        for (const [index, chunk] of stream.chunks.entries()) {
          const [length = '', json = ''] = chunk.split('\n');
          expect(Number(length)).toBe(Buffer.byteLength(json));
          expect(JSON.parse(json)).toEqual(stream.events[index]);
        }
        const [subscribed, ...others] = stream.events;
        const [heartbeat, offers] = others.sort((a, b) => (String(a.type) < String(b.type) ? -1 : 1));
        expect(subscribed).toMatchObject({ type: 'SUBSCRIBED', subscribed: { heartbeat_interval_seconds: 15 } });
        expect(heartbeat).toEqual({ type: 'HEARTBEAT' });
        expect(offers).toMatchObject({ type: 'OFFERS', offers: { offers: [{ hostname: 'a' }] } });
        expect(stream.chunks[0]).toContain('"heartbeat_interval_seconds":15.0');
      },
    );

    under.it('names the master, its address and its capabilities', async () => {
      const stream = await raw({ failover_timeout: 0 });
      await until('SUBSCRIBED', 30_000, () => stream.events.length > 0);
      const port = Number(new URL(under.mesos.masterUrl).port);
      const address = { hostname: expect.any(String), ip: '127.0.0.1', port };
      expect(stream.events[0]?.['subscribed']).toMatchObject({
        master_info: {
          ip: 0x0100007f,
          port,
          pid: `master@127.0.0.1:${port}`,
          version: '1.11.0',
          address,
          // QUOTA_V2, which the API v1 has no word for, is the empty one.
          capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, {}],
        },
      });
      const state = (await (await fetch(`${under.mesos.masterUrl}/state`)).json()) as object;
      expect(state).toMatchObject({ capabilities: ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] });
    });

    under.it('is not compressed, while other answers are where the client asks for it', async () => {
      const gzip = { 'Accept-Encoding': 'gzip' };
      const stream = await raw({ failover_timeout: 0 }, gzip);
      await until('SUBSCRIBED', 30_000, () => stream.events.length > 0);
      expect(stream.headers['content-encoding']).toBeUndefined();
      const state = await fetch(`${under.mesos.masterUrl}/state`, { headers: gzip });
      expect(state.headers.get('content-encoding')).toBe('gzip');
      expect(await state.json()).toMatchObject({ version: '1.11.0' });
    });

    under.it('is also had below /master', async () => {
      const url = `${under.mesos.masterUrl}/master`;
      const stream = await openStream(`${url}/api/v1/scheduler`, {
        type: 'SUBSCRIBE',
        subscribe: { framework_info: { user: 'root', name: 'raw' } },
      });
      streams.push(stream);
      await until('SUBSCRIBED', 30_000, () => stream.events.length > 0);
      expect((await fetch(`${url}/state`)).status).toBe(200);
      expect((await fetch(`${url}/state.json`)).status).toBe(404);
      expect((await fetch(`${under.mesos.masterUrl}/`)).status).toBe(404);
    });

    const multi = [{ type: 'MULTI_ROLE' }];
    for (const [why, info, message] of [
      [
        'roles without MULTI_ROLE',
        { roles: ['ci'] },
        "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
      ],
      [
        'a role with MULTI_ROLE',
        { role: 'ci', capabilities: multi },
        "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
      ],
      ['an id with a slash', { id: { value: 'bad/id' } }, "'bad/id' contains invalid characters"],
      ['a timeout beyond all time', { failover_timeout: 1e20 }, 'The framework failover_timeout (1e+20) is invalid'],
    ] as const) {
      under.it(`with ${why} is told so on the stream, which then ends`, async () => {
        const stream = await raw(info);
        await until('the end', 30_000, () => stream.ended);
        expect(stream.status).toBe(200);
        expect(stream.events).toEqual([{ type: 'ERROR', error: { message: expect.stringContaining(message) } }]);
      });
    }

    under.it('may bring an id of its own', async () => {
      const test = await framework({ id: { value: 'of-my-own' } });
      expect(test.events[0]).toMatchObject({ subscribed: { framework_id: { value: 'of-my-own' } } });
    });
  });

  describe('a framework', () => {
    under.it('that subscribes again takes over: its offers are made anew, and nothing is taken back', async () => {
      const first = await framework();
      const old = await offerOf(first);
      const second = await framework({ id: { value: first.id } });
      await first.ended();
      const { id } = await offerOf(second);
      expect(id).not.toEqual(old.id);
      expect(wordsOf(first)).toEqual(['SUBSCRIBED', 'OFFERS', 'ERROR']);
      expect(first.events.at(-1)).toEqual({ type: 'ERROR', error: { message: 'Framework failed over' } });
      expect(wordsOf(second)).toEqual(['SUBSCRIBED', 'OFFERS']);
    });

    under.it('that comes back with its id keeps its tasks and gets what it has not acknowledged', async () => {
      const test = await framework();
      await test.launch('a', sleep('mine'));
      await test.state('mine', 'TASK_RUNNING');
      test.acknowledging = false;
      await test.client.kill({ taskId: { value: 'mine' } });
      await test.state('mine', 'TASK_KILLING');
      const second = await framework({ id: { value: test.id } });
      await test.ended();
      await second.state('mine', 'TASK_KILLED');
      expect(second.updates.map(({ state }) => state)).toEqual(['TASK_KILLING', 'TASK_KILLED']);
    });

    under.it('that is torn down ends without an ERROR, and its id is dead for ever', async () => {
      const test = await framework();
      await test.client.teardown();
      expect(await test.ended()).toBeUndefined();
      expect(test.events.some(({ type }) => type === 'ERROR')).toBe(false);
      const again = new TestFramework(under.mesos.masterUrl, { id: { value: test.id } });
      await again.ended();
      expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
    });

    under.it('that hangs up without a failover timeout is removed with its tasks', async () => {
      const test = await framework({ failover_timeout: 0 });
      await test.launch('a', sleep('mine'));
      await test.state('mine', 'TASK_RUNNING');
      await test.disconnect();
      await until('the framework is removed', 30_000, async () => {
        const task = await operator().findTask(test.id, 'mine');
        return task?.state === 'TASK_KILLED';
      });
      const again = new TestFramework(under.mesos.masterUrl, { id: { value: test.id } });
      await again.ended();
      expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
    });

    under.it('that hangs up with one stays, disconnected, with its tasks; others get its offers', async () => {
      const test = await framework();
      await test.launch('a', sleep('mine'));
      await test.state('mine', 'TASK_RUNNING');
      await test.disconnect();
      await until('it is disconnected', 30_000, async () => {
        const [one] = (await operator().getState()).get_frameworks.frameworks;
        return one?.connected === false;
      });
      await offerOf(await framework());
      expect((await operator().findTask(test.id, 'mine'))?.state).toBe('TASK_RUNNING');
    });
  });

  describe('an update', () => {
    under.it('of a command task names the agent, the executor, the container and its address', async () => {
      const test = await framework();
      const agentId = under.mesos.agents[0]?.id;
      await test.launch('a', sleep('told'));
      expect(await test.state('told', 'TASK_RUNNING')).toMatchObject({
        agent_id: { value: agentId },
        executor_id: { value: 'told' },
        source: 'SOURCE_EXECUTOR',
        container_status: {
          container_id: { value: expect.any(String) },
          network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] }],
        },
      });
      const { tasks } = (await (await fetch(`${under.mesos.masterUrl}/tasks`)).json()) as { tasks: object[] };
      expect(tasks.find((task) => (task as { id: string }).id === 'told')).toMatchObject({ executor_id: '' });
      expect(await operator().findTask(test.id, 'told')).not.toHaveProperty('executor_id');
    });
  });

  describe('a reconciliation', () => {
    under.it('tells the latest state of what is known, and that the rest is not', async () => {
      const test = await framework();
      const agentId = { value: under.mesos.agents[0]?.id ?? '' };
      await test.launch('a', sleep('known'));
      await test.state('known', 'TASK_RUNNING');
      test.updates.length = 0;
      await test.client.reconcile([]);
      await test.client.reconcile([
        { taskId: { value: 'known' }, agentId },
        { taskId: { value: 'ghost' }, agentId },
        { taskId: { value: 'ghost2' }, agentId: { value: 'nope-S7' } },
        { taskId: { value: 'ghost3' } },
      ]);
      await test.state('ghost3', 'TASK_UNKNOWN');
      expect(test.updates.map(({ state, message }) => [state, message])).toEqual([
        ['TASK_RUNNING', 'Reconciliation: Latest task state'],
        ['TASK_RUNNING', 'Reconciliation: Latest task state'],
        ['TASK_GONE', 'Reconciliation: Task is unknown to the agent'],
        ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
        ['TASK_UNKNOWN', 'Reconciliation: Task is unknown'],
      ]);
      const facts = test.updates.map(({ source, reason, uuid }) => [source, reason, uuid]);
      expect(facts).toEqual(Array(5).fill(['SOURCE_MASTER', 'REASON_RECONCILIATION', undefined]));
    });

    under.it('calls lost what a framework without PARTITION_AWARE asks for and nobody knows', async () => {
      const test = await framework({ capabilities: [], roles: undefined });
      await test.client.reconcile([{ taskId: { value: 'ghost' } }]);
      await test.client.kill({ taskId: { value: 'ghost2' } });
      await test.state('ghost2', 'TASK_LOST');
      expect(test.updates.map(({ message, reason }) => [message, reason])).toEqual(
        Array(2).fill(['Reconciliation: Task is unknown', 'REASON_RECONCILIATION']),
      );
    });
  });

  describe('an offer', () => {
    under.it('that is stale is declined and one that is no use accepted without a word', async () => {
      const test = await framework();
      const { id } = await offerOf(test);
      test.offers.clear();
      await test.client.accept({ offerIds: [id], operations: [], filters: { refuse_seconds: 3600 } });
      await test.client.decline([id]);
      await test.client.accept({ offerIds: [id], operations: [] });
      await settled(test);
      expect(wordsOf(test)).toEqual(['SUBSCRIBED', 'OFFERS', 'UPDATE']);
    });

    under.it('is taken as a whole: what a task leaves comes back', async () => {
      const test = await framework();
      await test.launch('a', { ...sleep('some'), resources: [scalar('cpus', 1), scalar('mem', 1024)] });
      const rest = await offerOf(test);
      await test.state('some', 'TASK_RUNNING');
      const amount = (name: string) => rest.resources.find((each) => each.name === name)?.scalar?.value;
      expect([amount('cpus'), amount('mem')]).toEqual([3, 3072]);
    });
  });
});

/** What came, but for heartbeats: those of a real master come from an actor of their own, so the first may be late. */
function wordsOf({ events }: TestFramework): readonly string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'HEARTBEAT');
}
