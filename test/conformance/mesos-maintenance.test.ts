/** Maintenance: what operators plan for machines, and what frameworks are told of it; the same on either Mesos. */
import { expect } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { DONE, kindsOf, operatorSuite, toldOf } from '../mesos-rig/operator-suite.ts';
import { subscribeRaw } from '../mesos-rig/raw-stream.ts';

const START = { start: { nanoseconds: 1893456000000000000 }, duration: { nanoseconds: 3600000000000 } };

describeOnEachMesos(
  'maintenance',
  {
    agents: [
      { name: 'm', attributes: 'env:fat' },
      { name: 'n', attributes: 'env:prod' },
    ],
  },
  (under) => {
    const { call, framework, idOf, shown } = operatorSuite(under);
    const machine = { hostname: 'm', ip: '127.0.0.1' };
    const schedule = (windows: object[]) =>
      call({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: { windows } } });
    const status = async () => {
      const { body } = await call({ type: 'GET_MAINTENANCE_STATUS' });
      return (body as { get_maintenance_status: { status: object } }).get_maintenance_status.status;
    };

    under.it('ahead is told with every offer of the machine, and its frameworks are asked to leave', async () => {
      const test = await framework();
      await until('both offers', 30_000, () => test.offers.size === 2);
      let before = test.events.length;
      expect(await schedule([{ machine_ids: [machine], unavailability: START }])).toEqual(DONE);
      await until('an inverse offer', 30_000, () => kindsOf(test).includes('INVERSE_OFFERS'));
      await until('both offers', 30_000, () => test.offers.size === 2);
      // The agents' offers come together or one after the other, as the allocator happens to look.
      const kinds = kindsOf(test).slice(before);
      expect(kinds.slice(0, 2)).toEqual(['RESCIND', 'RESCIND']);
      expect(new Set(kinds.slice(2))).toEqual(new Set(['OFFERS', 'INVERSE_OFFERS']));
      const offers = [...test.offers.values()].map(({ hostname, unavailability }) => [hostname, unavailability]);
      expect(Object.fromEntries(offers)).toEqual({ m: START, n: undefined });
      const event = test.events.find(({ type }) => type === 'INVERSE_OFFERS');
      const asked = event?.type === 'INVERSE_OFFERS' ? event.inverse_offers.inverse_offers : [];
      const { port } = new URL(under.mesos.agents[0]?.url ?? '');
      expect(asked).toEqual([
        {
          id: { value: expect.stringMatching(/-O\d+$/) },
          url: {
            scheme: 'http',
            address: { hostname: 'm', ip: '127.0.0.1', port: Number(port) },
            path: '/slave(1)',
          },
          framework_id: { value: test.id },
          agent_id: { value: idOf('m') },
          unavailability: START,
        },
      ]);
      expect(await status()).toEqual({ draining_machines: [{ id: machine }] });
      expect(await (await fetch(`${under.mesos.masterUrl}/maintenance/status`)).json()).toEqual(await status());
      expect(await (await fetch(`${under.mesos.masterUrl}/master/maintenance/schedule`)).json()).toEqual({
        windows: [{ machine_ids: [machine], unavailability: START }],
      });
      expect(await call({ type: 'DRAIN_AGENT', drain_agent: { agent_id: { value: idOf('m') } } })).toEqual({
        status: 400,
        body: `Agent ${idOf('m')} is part of a maintenance schedule under Machine m (127.0.0.1)`,
      });

      before = test.events.length;
      expect(await schedule([])).toEqual(DONE);
      await until('offers without', 30_000, () => {
        const all = [...test.offers.values()];
        return all.length === 2 && all.every(({ unavailability }) => unavailability === undefined);
      });
      const withdrawn = kindsOf(test)
        .slice(before)
        .filter((type) => type !== 'OFFERS');
      expect(withdrawn.sort()).toEqual(['RESCIND', 'RESCIND', 'RESCIND_INVERSE_OFFER']);
      expect(await status()).toEqual({});
    });

    under.it('is accepted or declined by frameworks, and operators see what they said', async () => {
      const raw = await subscribeRaw(under.mesos.masterUrl, {});
      let seen = 0;
      const next = (type: string) =>
        until(type, 30_000, () => {
          const index = raw.events.findIndex((event, at) => at >= seen && event.type === type);
          if (index !== -1) seen = index + 1;
          return raw.events[index];
        });
      const { framework_id } = (await next('SUBSCRIBED'))['subscribed'] as { framework_id: { value: string } };
      await next('OFFERS');
      expect(await schedule([{ machine_ids: [machine], unavailability: START }])).toEqual(DONE);
      const asked = async () => {
        const { inverse_offers } = (await next('INVERSE_OFFERS'))['inverse_offers'] as {
          inverse_offers: { id: object }[];
        };
        return inverse_offers.map(({ id }) => id);
      };
      const send = async (body: object) => {
        const headers = {
          'Content-Type': 'application/json',
          'Mesos-Stream-Id': String(raw.headers['mesos-stream-id']),
        };
        const url = `${under.mesos.masterUrl}/api/v1/scheduler`;
        const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ framework_id, ...body }) });
        return { status: response.status, body: await response.text() };
      };
      const answer = (type: string, inverse_offer_ids: object[], refuse_seconds: number) =>
        send({ type, [type.toLowerCase()]: { inverse_offer_ids, filters: { refuse_seconds } } });
      const accepted = { status: 202, body: '' };
      expect(await answer('ACCEPT_INVERSE_OFFERS', await asked(), 0)).toEqual(accepted);
      const second = await asked();
      const timestamp = { nanoseconds: expect.any(Number) };
      const said = (word: string) => ({
        draining_machines: [{ id: machine, statuses: [{ status: word, framework_id, timestamp }] }],
      });
      // What a framework says has to go through the allocator before operators see it.
      const told = (word: string) =>
        until(`operators see ${word}`, 30_000, async () => JSON.stringify(await status()).includes(`"${word}"`));
      await told('ACCEPT');
      expect(await status()).toEqual(said('ACCEPT'));
      expect(await answer('DECLINE_INVERSE_OFFERS', second, 3600)).toEqual(accepted);
      expect(await answer('DECLINE_INVERSE_OFFERS', second, 3600)).toEqual(accepted);
      await told('DECLINE');
      expect(await status()).toEqual(said('DECLINE'));
      expect(await send({ type: 'ACCEPT_INVERSE_OFFERS' })).toEqual({
        status: 400,
        body: "Failed to validate scheduler::Call: Expecting 'accept_inverse_offers' to be present",
      });
      // Made anew, the schedule makes its question anew too.
      expect(await schedule([{ machine_ids: [machine], unavailability: START }])).toEqual(DONE);
      expect(await asked()).toHaveLength(1);
      await until('the answer is forgotten', 30_000, async () => !JSON.stringify(await status()).includes('statuses'));
      expect(await status()).toEqual({ draining_machines: [{ id: machine }] });
      raw.close();
      expect(await schedule([])).toEqual(DONE);
    });

    under.it('takes machines down with their agents, and up again', async () => {
      const test = await framework();
      await test.launch('m', { task_id: { value: 'lost' }, command: { value: 'sleep 300' } });
      await test.state('lost', 'TASK_RUNNING');
      const agentId = idOf('m');
      const machines = [machine];
      expect(await schedule([{ machine_ids: [machine], unavailability: START }])).toEqual(DONE);
      await until('an offer of it', 30_000, () => [...test.offers.values()].some(({ hostname }) => hostname === 'm'));
      await until('an inverse offer', 30_000, () => kindsOf(test).includes('INVERSE_OFFERS'));
      const before = test.events.length;
      expect(await call({ type: 'START_MAINTENANCE', start_maintenance: { machines } })).toEqual(DONE);
      await until('the agent failed', 30_000, () => kindsOf(test).includes('FAILURE'));
      expect(kindsOf(test).slice(before)).toEqual(['TASK_LOST', 'RESCIND', 'RESCIND_INVERSE_OFFER', 'FAILURE']);
      expect(toldOf(test, 'lost').at(-1)).toEqual([
        'TASK_LOST',
        'REASON_AGENT_REMOVED',
        'SOURCE_MASTER',
        "Agent m removed: Operator initiated 'Machine DOWN'",
      ]);
      expect(await status()).toEqual({ down_machines: [machine] });
      expect(await shown('m')).toBeUndefined();
      await test.client.reconcile([{ taskId: { value: 'lost' }, agentId: { value: agentId } }]);
      expect(await test.state('lost', 'TASK_UNKNOWN')).toMatchObject({ message: 'Reconciliation: Task is unknown' });
      expect(await call({ type: 'START_MAINTENANCE', start_maintenance: { machines } })).toEqual({
        status: 400,
        body: `Machine '{"hostname":"m","ip":"127.0.0.1"}' is not in DRAINING mode and cannot be brought down`,
      });
      const post = (path: string, body: unknown) =>
        fetch(under.mesos.masterUrl + path, { method: 'POST', body: JSON.stringify(body) });
      const refused = await post('/machine/up', [{ hostname: 'n', ip: '127.0.0.1' }]);
      expect([refused.status, await refused.text()]).toEqual([
        400,
        `Machine '{"hostname":"n","ip":"127.0.0.1"}' is not in DOWN mode and cannot be brought up`,
      ]);
      expect((await post('/master/machine/up', machines)).status).toBe(200);
      expect(await status()).toEqual({});
    });

    const WRONG_TYPE = 'Unexpected JSON type parsed';
    const only = (methods: string, method: string) =>
      `405 Method Not Allowed. Expecting one of { ${methods} }, but received '${method}'.`;
    for (const [method, path, body, status, text] of [
      ['POST', '/maintenance/schedule', '{', 400, 'syntax error at line 1 near: '],
      ['POST', '/maintenance/schedule', '[]', 400, WRONG_TYPE],
      [
        'POST',
        '/maintenance/schedule',
        '{"windows":[{"machine_ids":[{"hostname":"x"}]}]}',
        400,
        'Missing required fields: windows[0].unavailability',
      ],
      [
        'POST',
        '/maintenance/schedule',
        '{"windows":[{"unavailability":{"start":{"nanoseconds":1}}}]}',
        400,
        'List of machines in the maintenance window is empty',
      ],
      ['PUT', '/maintenance/schedule', '{}', 405, only("'GET', 'POST'", 'PUT')],
      ['PUT', '/maintenance/status', '{}', 405, only("'GET'", 'PUT')],
      ['GET', '/machine/down', undefined, 405, only("'POST'", 'GET')],
      ['POST', '/machine/down', '{}', 400, WRONG_TYPE],
      ['POST', '/machine/down', '[]', 400, 'List of machines is empty'],
      ['POST', '/machine/down', '[{}]', 400, "Both 'hostname' and 'ip' for a machine are empty"],
      ['POST', '/machine/up', '[{"hostname":1}]', 400, "Not expecting a JSON number for field 'hostname'"],
      ['POST', '/machine/up', '[{"ip":"nowhere"}]', 400, 'Failed to parse IPv4: nowhere'],
    ] as const) {
      under.it(`in the old way: ${method} ${path} ${body ?? ''}`, async () => {
        const response = await fetch(under.mesos.masterUrl + path, body === undefined ? {} : { method, body });
        expect([response.status, await response.text()]).toEqual([status, text]);
      });
    }
  },
);
