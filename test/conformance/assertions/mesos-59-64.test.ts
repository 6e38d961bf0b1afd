import { afterEach, expect, jest } from '@jest/globals';
import { RecordDecoder } from '../../../activities/mesos/recordio.ts';
import type { TaskStatus } from '../../../activities/mesos/types.ts';
import { decode } from '../../../cell/mesos/protobuf/decode.ts';
import { SCHEDULER_EVENT } from '../../../cell/mesos/protobuf/messages.ts';
import { TestFramework } from '../../integration/mesos-framework.ts';
import { until } from '../../integration/mesos-until.ts';
import { describeOnEachMesos } from '../../mesos-rig/describe-on-each-mesos.ts';
import { operatorSuite } from '../../mesos-rig/operator-suite.ts';
import { openStream, subscribeRaw } from '../../mesos-rig/raw-stream.ts';
import { ProtobufFramework } from '../protobuf-caller.ts';

/**
 * On both kinds of Mesos. `mesos-http.test.ts` holds every answer that was recorded to the byte; here are those that
 * clients rely on.
 */

jest.setTimeout(180_000);

const JSON_TYPE = 'application/json';
const sleep = (id: string) => ({ task_id: { value: id }, command: { value: 'exec sleep 1000' } });
const statesOf = (updates: readonly TaskStatus[]) => updates.map(({ state }) => state);

describeOnEachMesos('a faithful Mesos', { agents: ['a', 'b'].map((name) => ({ name, attributes: '' })) }, (under) => {
  const { call, framework, idOf, shown } = operatorSuite(under);

  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const stream of open.splice(0)) stream.close();
  });
  /** A framework whose stream stays open keeps its offers from the next test. */
  function closedAfterwards<T extends { close(): void }>(stream: T): T {
    open.push(stream);
    return stream;
  }

  const answerTo = async (path: string, type: string | undefined, body: string, more: Record<string, string> = {}) => {
    const headers = { ...(type === undefined ? {} : { 'Content-Type': type }), ...more };
    const answer = await fetch(under.mesos.masterUrl + path, { method: 'POST', headers, body: Buffer.from(body) });
    return [answer.status, await answer.text()];
  };

  under.it('59. Every call that is not as it should be is refused in the very words of Mesos', async () => {
    const operator = (body: string, type: string | undefined = JSON_TYPE) => answerTo('/api/v1', type, body);
    expect(await operator('{"type":"GET_HEALTH"}')).toEqual([
      200,
      '{"type":"GET_HEALTH","get_health":{"healthy":true}}',
    ]);
    expect(await answerTo('/api/v1', undefined, '{}')).toEqual([400, "Expecting 'Content-Type' to be present"]);
    expect(await operator('{}', 'application/json; charset=utf-8')).toEqual([
      415,
      "Expecting 'Content-Type' of application/json or application/x-protobuf",
    ]);
    expect(await operator('{')).toEqual([400, 'Failed to parse body into JSON: syntax error at line 1 near: ']);
    expect(await operator('[]')).toEqual([400, 'Failed to convert JSON into Call protobuf: Expecting a JSON object']);
    for (const body of ['{}', '{"type":"GET_NEWS"}']) {
      expect(await operator(body)).toEqual([400, "Failed to validate master::Call: Expecting 'type' to be present"]);
    }
    expect(await operator('{"type":"UNKNOWN"}')).toEqual([501, '501 Not Implemented.']);
    expect(await operator('{"type":"DRAIN_AGENT"}')).toEqual([
      400,
      "Failed to validate master::Call: Expecting 'drain_agent' to be present",
    ]);
    expect(await answerTo('/api/v1', JSON_TYPE, '{"type":"GET_HEALTH"}', { Accept: 'text/html' })).toEqual([
      406,
      "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    ]);

    const scheduler = (body: object, more: Record<string, string> = {}) =>
      answerTo('/api/v1/scheduler', JSON_TYPE, JSON.stringify(body), more);
    const stream = closedAfterwards(await subscribeRaw(under.mesos.masterUrl, {}));
    const { subscribed } = await until('SUBSCRIBED', 30_000, () => stream.events[0]);
    const { framework_id } = subscribed as { framework_id: { value: string } };
    const framework_info = { user: 'root', name: 'n' };
    expect(await scheduler({ type: 'REVIVE' })).toEqual([
      400,
      "Failed to validate scheduler::Call: Expecting 'framework_id' to be present",
    ]);
    expect(await scheduler({ type: 'REVIVE', framework_id: { value: 'nobody' } })).toEqual([
      400,
      'Framework cannot be found',
    ]);
    expect(await scheduler({ type: 'REVIVE', framework_id })).toEqual([
      400,
      "All non-subscribe calls should include the 'Mesos-Stream-Id' header",
    ]);
    const wrong = 'c0ffee00-0000-4000-8000-000000000000';
    expect(await scheduler({ type: 'REVIVE', framework_id }, { 'Mesos-Stream-Id': wrong })).toEqual([
      400,
      `The stream ID '${wrong}' included in this request didn't match the stream ID currently associated with framework ID ${framework_id.value}`,
    ]);
    expect(await scheduler({ type: 'SUBSCRIBE', subscribe: { framework_info } }, { 'Mesos-Stream-Id': wrong })).toEqual(
      [400, "Subscribe calls should not include the 'Mesos-Stream-Id' header"],
    );
    expect(await scheduler({ type: 'SUBSCRIBE', framework_id, subscribe: { framework_info } })).toEqual([
      400,
      "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'",
    ]);
    expect(
      await scheduler({ type: 'REVIVE', framework_id }, { 'Mesos-Stream-Id': `${stream.headers['mesos-stream-id']}` }),
    ).toEqual([202, '']);
  });

  under.it('60. Schedulers speak JSON or protobuf, and records of both can be cut anywhere', async () => {
    const json = closedAfterwards(await subscribeRaw(under.mesos.masterUrl, {}));
    const protobuf = await ProtobufFramework.subscribe(under.mesos.masterUrl);
    closedAfterwards(protobuf.stream);
    await until('a heartbeat in JSON', 30_000, () => json.events.some(({ type }) => type === 'HEARTBEAT'));
    await protobuf.stream.event('HEARTBEAT');
    // Offers may come before the first heartbeat.
    expect([json.events[0]?.type, protobuf.stream.events[0]?.['type']]).toEqual(['SUBSCRIBED', 'SUBSCRIBED']);

    const framed = (records: readonly Buffer[]) =>
      Buffer.concat(records.flatMap((record) => [Buffer.from(`${record.length}\n`), record]));
    for (const [bytes, read] of [
      [Buffer.from(json.chunks.join('')), (record: Buffer) => JSON.parse(record.toString()).type],
      [framed(protobuf.stream.records), (record: Buffer) => decode(SCHEDULER_EVENT, record)['type']],
    ] as const) {
      const whole = new RecordDecoder().push(bytes).map(read);
      const decoder = new RecordDecoder();
      const cut = [...bytes].flatMap((byte) => decoder.push(Buffer.from([byte]))).map(read);
      expect(cut).toEqual(whole);
      expect(cut.length).toBeGreaterThanOrEqual(2);
    }
    expect(await protobuf.call('TEARDOWN')).toBe('202');
  });

  under.it('61. An update is repeated until it is acknowledged, and the next one waits for that', async () => {
    const test = await framework();
    test.acknowledging = false;
    await test.launch('a', { task_id: { value: 'short' }, command: { value: 'exit 0' } });
    const copies = await until('a second copy', 30_000, () => (test.updates.length > 1 ? test.updates : undefined));
    expect(statesOf(copies)).toEqual(['TASK_STARTING', 'TASK_STARTING']);
    expect(copies[1]).toEqual(copies[0]);
    for (const state of ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'] as const) {
      await test.client.acknowledge(await test.state('short', state));
    }
    const [starting, , running, finished] = test.updates;
    expect([running?.state, finished?.state]).toEqual(['TASK_RUNNING', 'TASK_FINISHED']);
    expect(new Set([starting, running, finished].map((status) => status?.uuid)).size).toBe(3);
  });

  under.it(
    '62. A framework that comes back with its id keeps its tasks, and its old stream is told why it ends',
    async () => {
      // Not torn down after the test: the second one is the same framework.
      const first = await new TestFramework(under.mesos.masterUrl).connected();
      await first.launch('a', sleep('kept'));
      await first.state('kept', 'TASK_RUNNING');
      const second = await framework({ id: { value: first.id } });
      await first.ended();
      expect(first.events.at(-1)).toEqual({ type: 'ERROR', error: { message: 'Framework failed over' } });
      await second.client.reconcile([{ taskId: { value: 'kept' } }]);
      expect(await second.state('kept', 'TASK_RUNNING')).toMatchObject({ reason: 'REASON_RECONCILIATION' });
      await second.client.kill({ taskId: { value: 'kept' } });
      await second.state('kept', 'TASK_KILLED');
    },
  );

  under.it('63. An agent has drained only after the last acknowledgement; its tasks are told the reason', async () => {
    const test = await framework();
    await test.launch('b', sleep('drained'));
    await test.state('drained', 'TASK_RUNNING');
    test.acknowledging = false;
    const agent_id = { value: idOf('b') };
    const drainState = async () => (await shown('b'))?.drain_info?.state;
    expect((await call({ type: 'DRAIN_AGENT', drain_agent: { agent_id } })).status).toBe(200);
    await test.client.acknowledge(await test.state('drained', 'TASK_KILLING'));
    const killed = await test.state('drained', 'TASK_KILLED');
    expect(killed.reason).toBe('REASON_AGENT_DRAINING');
    expect(await drainState()).toBe('DRAINING');
    await test.client.acknowledge(killed);
    await until('DRAINED', 30_000, async () => (await drainState()) === 'DRAINED');
    expect((await call({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } })).status).toBe(200);
  });

  under.it(
    '64. An offer that is not answered is not made again; one that is declined is, once its filter ends',
    async () => {
      const test = await framework();
      const offered = (agent: string) =>
        test.events.flatMap((event) =>
          event.type === 'OFFERS' ? event.offers.offers.filter(({ hostname }) => hostname === agent) : [],
        );
      await until('both agents are offered', 30_000, () => offered('a').length === 1 && offered('b').length === 1);
      for (let time = 2; time <= 3; time += 1) {
        const { id } = offered('b').at(-1) ?? { id: { value: '' } };
        await test.client.decline([id], { refuse_seconds: 0.1 });
        await until('the declined one is back', 30_000, () => offered('b').length === time);
      }
      // Two rounds of offers have gone by meanwhile.
      expect(offered('a')).toHaveLength(1);
      expect(new Set(offered('b').map(({ id }) => id.value)).size).toBe(3);
    },
  );

  under.it('keeps operators informed over the same framing', async () => {
    const stream = closedAfterwards(await openStream(`${under.mesos.masterUrl}/api/v1`, { type: 'SUBSCRIBE' }));
    await until('a heartbeat', 30_000, () => stream.events.some(({ type }) => type === 'HEARTBEAT'));
    expect(stream.events[0]?.type).toBe('SUBSCRIBED');
  });
});
