/** A master that is spoken to in protobuf: what it refuses, what it answers, and what its streams tell. */
import { afterEach, describe, expect, jest } from '@jest/globals';
import type { InverseOffer, Offer, TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import { encode } from '../../cell/mesos/protobuf/encode.ts';
import { OPERATOR_CALL, OPERATOR_RESPONSE } from '../../cell/mesos/protobuf/messages.ts';
import type { JsonObject } from '../../cell/mesos/protobuf/notation.ts';
import { withDefaults } from '../../cell/mesos/protobuf/with-defaults.ts';
import { scalar } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { askOperator, ProtobufFramework, post, watchMaster } from './protobuf-caller.ts';
import { withoutEmptyLists } from './protobuf-json.ts';

jest.setTimeout(60_000);

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** GET_HEALTH, and its answer. */
const ASK = '08 01';
const HEALTHY = '08 01 12 02 08 01';

const UNPARSABLE = [400, 'Failed to parse body into Call protobuf'];
const NO_TYPE = [400, "Failed to validate master::Call: Expecting 'type' to be present"];

const HEALTH_IN_JSON = [200, '{"type":"GET_HEALTH","get_health":{"healthy":true}}'];
const NOT_ACCEPTABLE = [406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"];

describeOnEachMesos(
  'a master in protobuf',
  { agents: [{ name: 'a', attributes: 'env:fat;num:3.5;span:[1-3]' }] },
  (under) => {
    const frameworks: ProtobufFramework[] = [];
    afterEach(async () => {
      for (const framework of frameworks.splice(0)) await framework.call('TEARDOWN');
    });

    const subscribe = async (info: object = {}): Promise<ProtobufFramework> => {
      const framework = await ProtobufFramework.subscribe(under.mesos.masterUrl, info);
      frameworks.push(framework);
      return framework;
    };

    const ask = async (path: string, body: string, accept: string | undefined, contentType = PROTOBUF) => {
      const headers = { 'Content-Type': contentType, ...(accept === undefined ? {} : { Accept: accept }) };
      return post(under.mesos.masterUrl + path, hex(body), headers);
    };

    describe('the form of the answer', () => {
      for (const [accept, answer] of [
        [undefined, HEALTH_IN_JSON],
        ['*/*', HEALTH_IN_JSON],
        [`${PROTOBUF}, ${JSON_TYPE}`, HEALTH_IN_JSON],
        [`${PROTOBUF}, ${JSON_TYPE};q=0.1`, HEALTH_IN_JSON],
        ['text/html', NOT_ACCEPTABLE],
        ['', NOT_ACCEPTABLE],
        ['application/recordio', NOT_ACCEPTABLE],
      ] as const) {
        under.it(`for Accept ${accept} is that of a call in JSON`, async () => {
          const { status, body } = await ask('/api/v1', ASK, accept);
          expect([status, body.toString()]).toEqual(answer);
        });
      }

      for (const accept of [PROTOBUF, `${PROTOBUF}, ${JSON_TYPE};q=0`, `${JSON_TYPE};q=0, */*`]) {
        under.it(`for Accept ${accept} is protobuf`, async () => {
          const { status, headers, body } = await ask('/api/v1', ASK, accept);
          expect([status, headers['content-type'], body]).toEqual([200, PROTOBUF, hex(HEALTHY)]);
        });
      }
    });

    describe('a call that is none is refused:', () => {
      for (const [what, path, body, answer] of [
        ['bytes that are no fields', '/api/v1', 'ff ff', UNPARSABLE],
        ['JSON', '/api/v1', Buffer.from('{"type":"GET_HEALTH"}').toString('hex'), UNPARSABLE],
        ['a field of number 0', '/api/v1', '08 01 00 01', UNPARSABLE],
        ['the end of a group', '/api/v1', '0c', UNPARSABLE],
        ['a cut number', '/api/v1', '08', UNPARSABLE],
        ['a required field that is missing', '/api/v1', '08 1f 82 01 00', UNPARSABLE],
        ['nothing', '/api/v1', '', NO_TYPE],
        ['an unknown type', '/api/v1', '08 7f', NO_TYPE],
        ['a type that is a string', '/api/v1', '0a 01 01', NO_TYPE],
        ['type UNKNOWN', '/api/v1', '08 00', [501, '501 Not Implemented.']],
        [
          'TEARDOWN without its part',
          '/api/v1',
          '08 1f',
          [400, "Failed to validate master::Call: Expecting 'teardown' to be present"],
        ],
        ['bytes that are no fields, from a framework', '/api/v1/scheduler', 'ff ff', UNPARSABLE],
        [
          'nothing, from a framework',
          '/api/v1/scheduler',
          '',
          [400, "Failed to validate scheduler::Call: Expecting 'type' to be present"],
        ],
        ['a name that is missing', '/api/v1/scheduler', '10 01 1a 05 0a 03 0a 01 75', UNPARSABLE],
        [
          'an id that is missing',
          '/api/v1/scheduler',
          '10 05',
          [400, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present"],
        ],
        [
          'type UNKNOWN without an id',
          '/api/v1/scheduler',
          '10 00',
          [400, "Failed to validate scheduler::Call: Expecting 'framework_id' to be present"],
        ],
        [
          'type UNKNOWN of an unknown framework',
          '/api/v1/scheduler',
          '0a 03 0a 01 66 10 00',
          [400, 'Framework cannot be found'],
        ],
        ['an unknown framework', '/api/v1/scheduler', '0a 03 0a 01 66 10 05', [400, 'Framework cannot be found']],
        [
          'a short uuid',
          '/api/v1/scheduler',
          '0a 03 0a 01 66 10 08 42 0d 0a 03 0a 01 61 12 03 0a 01 74 1a 01 00',
          [400, 'Failed to validate scheduler::Call: Not a valid UUID'],
        ],
      ] as const) {
        under.it(what, async () => {
          const { status, headers, body: text } = await ask(path, body, PROTOBUF);
          expect([status, text.toString()]).toEqual(answer);
          expect(headers['content-type']).toBe('text/plain; charset=utf-8');
        });
      }

      for (const contentType of [`${PROTOBUF}; charset=utf-8`, 'application/X-protobuf', 'application/octet-stream']) {
        under.it(`sent as ${contentType}`, async () => {
          const { status, body } = await ask('/api/v1', ASK, PROTOBUF, contentType);
          expect([status, body.toString()]).toEqual([
            415,
            "Expecting 'Content-Type' of application/json or application/x-protobuf",
          ]);
        });
      }
    });

    describe('what is not known is skipped:', () => {
      for (const [what, body] of [
        ['a number', '08 01 f8 7f 05'],
        ['bytes', '08 01 fa 7f 02 68 69'],
        ['a group', '08 01 0b 0c'],
      ] as const) {
        under.it(what, async () => {
          expect((await ask('/api/v1', body, PROTOBUF)).body).toEqual(hex(HEALTHY));
        });
      }
    });

    describe('a framework', () => {
      under.it('is told what it would be told in JSON, and is obeyed', async () => {
        const watched = await watchMaster(under.mesos.masterUrl);
        await watched.event('HEARTBEAT');
        const roles = { roles: ['ci'], capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }] };
        const framework = await subscribe({ name: 'ci', failover_timeout: 60, ...roles });
        const { stream } = framework;
        expect(stream.headers).toMatchObject({ 'content-type': PROTOBUF, 'transfer-encoding': 'chunked' });
        const [offer] = offersOf(await stream.event('OFFERS'));
        expect(offer).toMatchObject({
          hostname: 'a',
          allocation_info: { role: 'ci' },
          url: { scheme: 'http', path: '/slave(1)', address: { ip: '127.0.0.1' } },
          attributes: [
            { name: 'env', type: 'TEXT', text: { value: 'fat' } },
            { name: 'num', type: 'SCALAR', scalar: { value: 3.5 } },
            { name: 'span', type: 'RANGES', ranges: { range: [{ begin: 1, end: 3 }] } },
          ],
        });
        const ofRole = { role: '*', allocation_info: { role: 'ci' } };
        expect(offer?.resources).toContainEqual({ ...scalar('cpus', 4), ...ofRole });

        const task = {
          name: 'web',
          task_id: { value: 'web.1' },
          agent_id: offer?.agent_id,
          resources: [scalar('cpus', 0.5), scalar('mem', 64)],
          command: { value: 'sleep 600', environment: { variables: [{ name: 'A', value: '1' }] } },
          labels: { labels: [{ key: 'consul', value: 'web' }] },
          discovery: { visibility: 'FRAMEWORK', name: 'web', ports: { ports: [{ number: 31110, protocol: 'tcp' }] } },
          health_check: { type: 'TCP', tcp: { port: 31110 }, delay_seconds: 600 },
          kill_policy: { grace_period: { nanoseconds: 1e9 } },
          data: Buffer.from([0, 255, 16]).toString('base64'),
        };
        const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }];
        const accept = { offer_ids: [offer?.id], operations, filters: { refuse_seconds: 0 } };
        expect(await framework.call('ACCEPT', { accept })).toBe('202');
        await acknowledge(framework, 'TASK_STARTING');
        await acknowledge(framework, 'TASK_RUNNING');
        await until('the rest is on offer', 30_000, () => stream.events.filter(({ type }) => type === 'OFFERS')[1]);

        await expectSameAnswers([...READS, ...READS_OF_TASKS]);

        const ghost = { task_id: { value: 'ghost' } };
        expect(await framework.call('RECONCILE', { reconcile: { tasks: [ghost] } })).toBe('202');
        const unknown = await stream.event('UPDATE', (event) => statusOf(event).state === 'TASK_UNKNOWN');
        expect(statusOf(unknown)).toMatchObject({ ...ghost, reason: 'REASON_RECONCILIATION', source: 'SOURCE_MASTER' });

        expect(await framework.call('KILL', { kill: { task_id: task.task_id } })).toBe('202');
        await acknowledge(framework, 'TASK_KILLED');
        expect(await framework.call('TEARDOWN')).toBe('202');
        await until('the stream ends', 30_000, () => stream.ended);
        await watched.event('FRAMEWORK_REMOVED');
        watched.close();
        expect(watched.headers['content-type']).toBe(PROTOBUF);
        expect(watched.events.map(wordOf)).toEqual([
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

      under.it('that asks for operations reads that nobody knows them', async () => {
        const [agent] = under.mesos.agents;
        const framework = await subscribe();
        const operations = [
          { operation_id: { value: 'here' }, agent_id: { value: agent?.id } },
          { operation_id: { value: 'nowhere' }, agent_id: { value: 'none' } },
          { operation_id: { value: 'anywhere' } },
        ];
        expect(await framework.call('RECONCILE_OPERATIONS', { reconcile_operations: { operations } })).toBe('202');
        const told = () => framework.stream.events.filter(({ type }) => type === 'UPDATE_OPERATION_STATUS');
        await until('three answers', 30_000, () => told().length === 3);
        expect(told().map(({ update_operation_status: update }) => (update as { status: object }).status)).toEqual([
          { ...operations[0], state: 'OPERATION_UNKNOWN', message: 'Reconciliation: Operation is unknown' },
          {
            ...operations[1],
            state: 'OPERATION_UNKNOWN',
            message: 'Reconciliation: Both operation and agent are unknown',
          },
          {
            ...operations[2],
            state: 'OPERATION_UNKNOWN',
            message: "Reconciliation: Operation is unknown and no 'agent_id' was provided",
          },
        ]);
      });

      under.it('may not acknowledge what is no UUID', async () => {
        const framework = await subscribe();
        const uuid = Buffer.alloc(16, 7).toString('base64');
        const acknowledge = { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid };
        const operation = { operation_id: { value: 'o' }, uuid };
        expect([
          await framework.call('ACKNOWLEDGE', { acknowledge }),
          await framework.call('ACKNOWLEDGE_OPERATION_STATUS', { acknowledge_operation_status: operation }),
          await framework.call('ACKNOWLEDGE_OPERATION_STATUS', {
            acknowledge_operation_status: { ...operation, uuid: Buffer.alloc(16, 0x47).toString('base64') },
          }),
        ]).toEqual([
          '400 Failed to validate scheduler::Call: Not a valid UUID',
          '400 Failed to validate scheduler::Call: Not a valid UUID',
          "400 Failed to validate scheduler::Call: Expecting 'agent_id' to be present",
        ]);
      });

      // A real master ends there: it counts the calls of a framework by their types, and checks that it knows them.
      if (under.kind === 'embedded') {
        under.it('that says UNKNOWN is refused', async () => {
          expect(await (await subscribe()).call('UNKNOWN')).toBe('501 501 Not Implemented.');
        });
      }

      under.it('that is taken over reads so on its stream', async () => {
        const first = await subscribe({ failover_timeout: 60 });
        await subscribe({ failover_timeout: 60, id: first.id });
        expect(await first.stream.event('ERROR')).toEqual({
          type: 'ERROR',
          error: { message: 'Framework failed over' },
        });
        await until('the old stream ends', 30_000, () => first.stream.ended);
        expect(await first.call('REVIVE')).toMatch(/^400 The stream ID '.*' included in this request didn't match/);
        frameworks.shift();
      });
    });

    describe('an operator', () => {
      const order = async (type: string, part: object) => {
        const body = encode(OPERATOR_CALL, { type, [type.toLowerCase()]: part });
        const answer = await post(`${under.mesos.masterUrl}/api/v1`, body, {
          'Content-Type': PROTOBUF,
          Accept: PROTOBUF,
        });
        return `${answer.status} ${answer.body.toString()}`.trim();
      };

      under.it('schedules maintenance, and frameworks are asked to leave', async () => {
        const framework = await subscribe({ failover_timeout: 60 });
        const { stream } = framework;
        await stream.event('OFFERS');
        const unavailability = { start: { nanoseconds: 4e18 }, duration: { nanoseconds: 36e11 } };
        const windows = [{ machine_ids: [{ hostname: 'a', ip: '127.0.0.1' }], unavailability }];
        expect(await order('UPDATE_MAINTENANCE_SCHEDULE', { schedule: { windows } })).toBe('200');
        const { inverse_offers: part } = await stream.event('INVERSE_OFFERS');
        const [inverse] = (part as { inverse_offers: InverseOffer[] }).inverse_offers;
        expect(inverse).toMatchObject({ framework_id: framework.id, unavailability });
        const [offer] = offersOf(
          await stream.event('OFFERS', (event) => offersOf(event)[0]?.unavailability !== undefined),
        );
        expect(offer?.unavailability).toEqual(unavailability);
        await expectSameAnswers(READS);
        expect(await order('UPDATE_MAINTENANCE_SCHEDULE', { schedule: { windows: [] } })).toBe('200');
      });

      under.it('drains an agent, and takes it back', async () => {
        const agent_id = { value: under.mesos.agents[0]?.id };
        expect(await order('DRAIN_AGENT', { agent_id, max_grace_period: { seconds: 2, nanos: 5 } })).toBe('200');
        const drained = await until('the agent is drained', 20_000, async () => {
          const { get_agents } = await askOperator(under.mesos.masterUrl, { type: 'GET_AGENTS' });
          const [agent] = (get_agents as { agents: { drain_info?: { state: string } }[] }).agents;
          return agent?.drain_info?.state === 'DRAINED' && agent.drain_info;
        });
        expect(drained).toEqual({
          state: 'DRAINED',
          config: { max_grace_period: { nanoseconds: 2e9 + 5 }, mark_gone: false },
        });
        await expectSameAnswers(READS);
        expect(await order('REACTIVATE_AGENT', { agent_id })).toBe('200');
        expect(await order('DRAIN_AGENT', { agent_id: { value: 'none' } })).toBe('400 Unknown agent');
      });
    });

    /** The JSON of an answer is its protobuf with the defaults. */
    async function expectSameAnswers(types: readonly string[]): Promise<void> {
      for (const type of types) {
        const shown = withDefaults(OPERATOR_RESPONSE, await askOperator(under.mesos.masterUrl, { type }));
        expect(shown).toEqual(withoutEmptyLists(await askInJson(under.mesos.masterUrl, { type })));
      }
    }
  },
);

/** What an operator reads; the metrics change from one call to the next. */
const READS = [
  ...['GET_HEALTH', 'GET_VERSION', 'GET_FLAGS', 'GET_LOGGING_LEVEL', 'GET_MASTER', 'GET_AGENTS', 'GET_FRAMEWORKS'],
  ...['GET_EXECUTORS', 'GET_OPERATIONS', 'GET_ROLES', 'GET_WEIGHTS', 'GET_QUOTA'],
  ...['GET_MAINTENANCE_STATUS', 'GET_MAINTENANCE_SCHEDULE'],
];

/**
 * The same in both forms only while no framework with tasks has been removed: a real 1.11 leaves the tasks of removed
 * frameworks out of its protobuf, since there it asks whether the caller may not see them.
 */
const READS_OF_TASKS = ['GET_TASKS', 'GET_STATE'];

async function askInJson(master: string, call: object): Promise<unknown> {
  const headers = { 'Content-Type': JSON_TYPE, Accept: JSON_TYPE };
  const { body } = await post(`${master}/api/v1`, Buffer.from(JSON.stringify(call)), headers);
  return JSON.parse(body.toString());
}

const offersOf = (event: JsonObject) => (event['offers'] as { readonly offers: readonly Offer[] }).offers;
const statusOf = (event: JsonObject) => (event['update'] as { readonly status: TaskStatus }).status;
/** The type of an operator's event; of an update its state. */
const wordOf = ({ type, task_updated }: JsonObject) =>
  (task_updated as { readonly state: string } | undefined)?.state ?? type;

/** Waits for an update of a state, and acknowledges it and every one before it. */
async function acknowledge(framework: ProtobufFramework, state: TaskState): Promise<void> {
  const acknowledged = new Set<string>();
  await until(state, 20_000, async () => {
    const updates = framework.stream.events.filter(({ type }) => type === 'UPDATE').map(statusOf);
    for (const { uuid, agent_id, task_id } of updates) {
      if (uuid === undefined || acknowledged.has(uuid)) continue;
      acknowledged.add(uuid);
      expect(await framework.call('ACKNOWLEDGE', { acknowledge: { agent_id, task_id, uuid } })).toBe('202');
    }
    return updates.some((status) => status.state === state);
  });
}
