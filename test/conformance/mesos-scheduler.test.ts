/** What a framework and an operator are told, in the order and words recorded on a real Mesos 1.11.0. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import type { TaskInfo } from '../../activities/mesos/types.ts';
import { scalar, TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { openStream } from '../mesos-rig/raw-stream.ts';

jest.setTimeout(120_000);

describeOnEachMesos(
  'the scheduler API',
  { agents: [{ name: 'a', attributes: 'env:fat', portRange: [31500, 31599] }] },
  (under) => {
    const frameworks: TestFramework[] = [];

    afterEach(async () => {
      for (const framework of frameworks.splice(0)) {
        await framework.client.teardown();
        await framework.ended();
      }
    });

    async function framework(info: object = {}): Promise<TestFramework> {
      const started = await new TestFramework(under.mesos.masterUrl, info).connected();
      frameworks.push(started);
      return started;
    }

    const offerOf = (of: TestFramework) => until('an offer', 30_000, () => [...of.offers.values()][0]);

    const task = (id: string, agentId: string, resources = [scalar('cpus', 0.1), scalar('mem', 32)]): TaskInfo => ({
      name: id,
      task_id: { value: id },
      agent_id: { value: agentId },
      command: { value: 'sleep 300' },
      resources,
    });

    async function accept(of: TestFramework, tasks: (agentId: string) => TaskInfo[]): Promise<string> {
      const offer = await offerOf(of);
      of.offers.delete(offer.id.value);
      await of.client.accept({
        offerIds: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: tasks(offer.agent_id.value) } }],
        filters: { refuse_seconds: 0 },
      });
      return offer.id.value;
    }

    describe('offers', () => {
      under.it('carry resources, attributes and address of the agent', async () => {
        const offer = await offerOf(await framework({ roles: ['ci'] }));
        const role = { role: '*', allocation_info: { role: 'ci' } };
        expect(offer.resources).toEqual([
          { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31500, end: 31599 }] }, ...role },
          { name: 'cpus', type: 'SCALAR', scalar: { value: 4 }, ...role },
          { name: 'mem', type: 'SCALAR', scalar: { value: 4096 }, ...role },
          { name: 'disk', type: 'SCALAR', scalar: { value: 10000 }, ...role },
        ]);
        expect(offer.attributes).toEqual([{ name: 'env', type: 'TEXT', text: { value: 'fat' } }]);
        const { port } = new URL(under.mesos.agents[0]?.url ?? '');
        const address = { hostname: 'a', ip: '127.0.0.1', port: Number(port) };
        expect(offer.url).toEqual({ scheme: 'http', address, path: '/slave(1)' });
        expect(offer.allocation_info).toEqual({ role: 'ci' });
      });

      under.it('that are refused go to others; they come back when the filter ends', async () => {
        const first = await framework();
        const { id } = await offerOf(first);
        first.offers.clear();
        await first.client.decline([id], { refuse_seconds: 3600 });
        const second = await framework();
        const other = await offerOf(second);
        second.offers.clear();
        await second.client.decline([other.id], { refuse_seconds: 0.1 });
        await offerOf(second);
        expect(first.offers.size).toBe(0);
      });

      under.it('stop for a suppressed framework until it is revived', async () => {
        const first = await framework();
        const { id } = await offerOf(first);
        first.offers.clear();
        await first.client.suppress();
        await first.client.decline([id], { refuse_seconds: 0 });
        const second = await framework();
        const other = await offerOf(second);
        expect(first.offers.size).toBe(0);
        await second.client.decline([other.id], { refuse_seconds: 3600 });
        await first.client.revive();
        await offerOf(first);
      });
    });

    describe('launches', () => {
      under.it('of good tasks go on although others of the same call are refused', async () => {
        const test = await framework({ roles: ['ci'] });
        await accept(test, (agent) => [
          task('dup', agent),
          task('dup', agent),
          task('fat', agent, [scalar('cpus', 99), scalar('mem', 32)]),
          task('none', agent, []),
        ]);
        await test.state('dup', 'TASK_RUNNING');
        const told = test.updates.map(({ task_id, state, message }) => [task_id.value, state, message]);
        expect(told).toEqual([
          ['dup', 'TASK_ERROR', 'Task has duplicate ID: dup'],
          [
            'fat',
            'TASK_ERROR',
            'Total resources cpus(allocated: ci):99; mem(allocated: ci):32 required by task and its executor is more than ' +
              'available ports(allocated: ci):[31500-31599]; cpus(allocated: ci):3.9; mem(allocated: ci):4064; disk(allocated: ci):10000',
          ],
          ['none', 'TASK_ERROR', 'Task uses no resources'],
          ['dup', 'TASK_STARTING', undefined],
          ['dup', 'TASK_RUNNING', undefined],
        ]);
        expect(test.updates.slice(0, 3).map(({ uuid, reason, source }) => [uuid, reason, source])).toEqual(
          Array(3).fill([undefined, 'REASON_TASK_INVALID', 'SOURCE_MASTER']),
        );
      });

      it.each([
        [['PARTITION_AWARE', 'MULTI_ROLE'], 'TASK_DROPPED'],
        [['MULTI_ROLE'], 'TASK_LOST'],
      ] as const)('on a stale offer are told to a framework with %j as %s', async (capabilities, state) => {
        const test = await framework({ capabilities: capabilities.map((type) => ({ type })) });
        const stale = await accept(test, () => []);
        await test.client.accept({
          offerIds: [{ value: stale }],
          operations: [{ type: 'LAUNCH', launch: { task_infos: [task('stale', 'nowhere')] } }],
        });
        const status = await test.state('stale', state);
        expect(status).toMatchObject({
          source: 'SOURCE_MASTER',
          reason: 'REASON_INVALID_OFFERS',
          message: `Task launched with invalid offers: Offer ${stale} is no longer valid`,
        });
        expect(status.uuid).toBeUndefined();
      });

      under.it('can be killed only on their own agent; an unknown task is answered like a reconciliation', async () => {
        const test = await framework();
        await accept(test, (agent) => [task('here', agent)]);
        await test.state('here', 'TASK_RUNNING');
        await test.client.kill({ taskId: { value: 'here' }, agentId: { value: 'elsewhere' } });
        await test.client.kill({ taskId: { value: 'ghost' } });
        expect(await test.state('ghost', 'TASK_UNKNOWN')).toMatchObject({ reason: 'REASON_RECONCILIATION' });
        expect(test.updates.some(({ state }) => state === 'TASK_KILLING')).toBe(false);
      });
    });

    describe('the operator stream', () => {
      under.it('tells of frameworks and tasks, each state once', async () => {
        const stream = await openStream(`${under.mesos.masterUrl}/api/v1`, { type: 'SUBSCRIBE' });
        await until('SUBSCRIBED', 30_000, () => stream.events.length > 0);

        const test = await framework();
        test.acknowledging = false;
        await accept(test, (agent) => [task('seen', agent)]);
        const starting = await test.state('seen', 'TASK_STARTING');
        await test.client.acknowledge(starting);
        await test.client.acknowledge(await test.state('seen', 'TASK_RUNNING'));
        await test.client.teardown();
        await test.ended();
        frameworks.length = 0;
        await until('the framework is removed', 30_000, () =>
          stream.events.some(({ type }) => type === 'FRAMEWORK_REMOVED'),
        );
        stream.close();
        const updated = z.looseObject({
          task_updated: z.looseObject({ status: z.looseObject({ state: z.string() }) }),
        });
        const told = stream.events.map(
          (event) => updated.safeParse(event).data?.task_updated.status.state ?? event.type,
        );
        expect(told).toEqual([
          'SUBSCRIBED',
          'HEARTBEAT',
          'FRAMEWORK_ADDED',
          'TASK_ADDED',
          'TASK_STARTING',
          'TASK_RUNNING',
          'TASK_KILLED',
          'FRAMEWORK_REMOVED',
        ]);
      });
    });
  },
);
