import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeOnEachMesos } from '../../mesos-rig/describe-on-each-mesos.ts';
import { npmClients } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';
import { runClient } from './run-client.ts';
import { type Told, toldIn } from './told.ts';

/** What npm has for Marathon and for Mesos: marathon-node, marathon-event-bus-client, and mesos-framework in JSON. */

jest.setTimeout(90_000);

const program = (name: string) => join(import.meta.dirname, 'npm-clients', name);

await describeWithClient('clients of npm', npmClients, (command) => {
  describe('marathon-node, with marathon-event-bus-client', () => {
    let cell: PlainCell;
    let told: Told;

    beforeAll(async () => {
      cell = await startPlainCell();
      const { code, stdout, stderr } = await runClient(command, [program('marathon.ts'), cell.marathonUrl]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      told = toldIn(stdout);
    });
    afterAll(() => cell.stop());

    const notFound = (what: string) => [404, `${what} does not exist`];

    it.each<[string, Record<string, unknown>]>([
      [
        'service',
        { name: 'marathon', version: '1.7.236', leader: expect.stringMatching(/^127\.0\.0\.1:/), ping: 'pong' },
      ],
      ['created', { deployments: 1, listed: ['/web'] }],
      ['updated', { env: { A: '2' }, versions: 2, old: { A: '1' }, back: { A: '1' } }],
      ['killed', { restarted: true, one: true, nowhere: 0, all: 1 }],
      [
        'waiting',
        {
          ...{ queued: '/large', left: 0, gone: notFound("App '/large'") },
          locked: [409, expect.stringMatching(/^App is locked by one or more deployments\./)],
        },
      ],
      ['groups', { apps: ['/shop/db', '/shop/ui'], gone: notFound("Group '/shop'") }],
      ['refusals', { duplicate: [409, 'An app with id [/web] already exists.'], invalid: [422, 'Invalid JSON'] }],
      [
        'events',
        {
          seen: [
            ...['app_terminated_event', 'deployment_info', 'deployment_step_success', 'deployment_success'],
            ...['event_stream_attached', 'group_change_success', 'instance_changed_event', 'status_update_event'],
          ],
          errors: [],
        },
      ],
    ])('sees of %s what is so', (step, result) => {
      expect(told.get(step)).toEqual(result);
    });
  });

  describeOnEachMesos('mesos-framework', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
    under.it('subscribes, launches, acknowledges, kills, reconciles and tears itself down', async () => {
      const { stdout, stderr } = await runClient(command, [program('framework.ts'), under.mesos.masterUrl]);
      expect({ told: Object.fromEntries(toldIn(stdout)), stderr }).toEqual({
        told: {
          subscribed: {
            frameworkId: expect.stringMatching(/^[0-9a-f-]{36}-\d{4}$/),
            mesosStreamId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
          ran: {
            states: {
              'once-1': ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'],
              'sleeper-1': ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED'],
              'sleeper-2': ['TASK_STARTING', 'TASK_RUNNING'],
            },
          },
          reconciled: { name: 'sleeper-2', state: 'TASK_RUNNING', uuid: null },
          'torn down': { heartbeats: true },
        },
        stderr: '',
      });
    });
  });
});
