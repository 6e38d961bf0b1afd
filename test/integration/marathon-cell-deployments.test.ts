import { describe, expect, jest } from '@jest/globals';
import type { MarathonClient } from '../../activities/marathon/client.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { MARATHON_AGENTS, type MarathonRig, recordEvents, SLEEP, settled, taskIds, useRig } from './marathon-rig.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(180_000);

let rig: MarathonRig;
let client: MarathonClient;

describeOnEachMesos('deployments', { agents: MARATHON_AGENTS }, (under) => {
  useRig(
    () => under.mesos,
    (started) => {
      rig = started;
      ({ client } = rig);
    },
  );

  const queued = async (id: string) => (await client.queue()).find((item) => item.app?.id === id);
  const running = async (id: string) => (await client.getApp(id))?.tasksRunning;

  describe('they', () => {
    under.it('hold an app that fits nowhere, say why, and lock it', async () => {
      await client.createApp({ id: '/d/big', ...SLEEP, cpus: 100 });
      const item = await until('the queue says that it is overdue', 45_000, async () => {
        const now = await queued('/d/big');
        const [, , , , cpus] = now?.processedOffersSummary?.rejectSummaryLastOffers ?? [];
        return now?.delay.overdue && cpus?.processed === MARATHON_AGENTS.length ? now : undefined;
      });
      expect(item).toMatchObject({ count: 1, delay: { timeLeftSeconds: 0, overdue: true } });
      expect(item.processedOffersSummary?.rejectSummaryLastOffers).toContainEqual({
        reason: 'InsufficientCpus',
        declined: 2,
        processed: 2,
      });
      const [deployment] = await client.deployments();
      expect(deployment).toMatchObject({
        affectedApps: ['/d/big'],
        currentActions: [{ action: 'ScaleApplication', app: '/d/big' }],
        currentStep: 2,
        totalSteps: 2,
      });
      expect(await rig.call('PUT', '/v2/apps//d/big', { instances: 2 })).toEqual({
        status: 409,
        body: { message: expect.stringContaining('App is locked'), deployments: [{ id: deployment?.id }] },
      });
      expect(await rig.call('POST', '/v2/apps', { id: '/d/big', ...SLEEP })).toEqual({
        status: 409,
        body: { message: 'An app with id [/d/big] already exists.' },
      });
      expect((await rig.call('PUT', '/v2/apps//d/big?force=true', { cpus: 0.1 })).status).toBe(200);
      await settled(client, '/d/big', 1);
    });

    under.it('are undone: what was created goes, what was changed comes back', async () => {
      await client.createApp({ id: '/d/big', ...SLEEP, cpus: 100 });
      const [creating] = await client.deployments();
      expect((await rig.call('DELETE', `/v2/deployments/${creating?.id}`)).status).toBe(200);
      expect(await client.getApp('/d/big')).toBeUndefined();

      await client.createApp({ id: '/d/web', ...SLEEP });
      const before = await settled(client, '/d/web', 1);
      await rig.call('PUT', '/v2/apps//d/web', { cpus: 100 });
      const [changing] = await client.deployments();
      expect(changing?.steps).toEqual([{ actions: [{ action: 'RestartApplication', app: '/d/web' }] }]);
      await rig.call('DELETE', `/v2/deployments/${changing?.id}`);
      const after = await settled(client, '/d/web', 1);
      expect(after['cpus']).toBe(0.1);
      // The version counts, not the content: the task is replaced though nothing of it had changed.
      expect(taskIds(after)).not.toEqual(taskIds(before));
      expect((await rig.call('DELETE', '/v2/deployments/nope')).status).toBe(404);
    });

    under.it('are stopped where they stand by force', async () => {
      const { events, stop } = await recordEvents(rig.url);
      await client.createApp({ id: '/d/big', ...SLEEP, cpus: 100 });
      const [creating] = await client.deployments();
      expect(await rig.call('DELETE', `/v2/deployments/${creating?.id}?force=true`)).toEqual({
        status: 202,
        body: undefined,
      });
      expect(await client.getApp('/d/big')).toMatchObject({ instances: 1, tasks: [], deployments: [] });
      expect(await client.queue()).toEqual([]);
      // The stream is not the connection on which the answers came.
      const failed = await until('it was told', 45_000, () =>
        events.find((event) => event.eventType === 'deployment_failed'),
      );
      await stop();
      expect(failed).toMatchObject({ id: creating?.id, reason: 'The upgrade has been cancelled' });
    });

    under.it('are over although the app crashes, whose starts are delayed more and more', async () => {
      const limits = { backoffSeconds: 30, backoffFactor: 2, maxLaunchDelaySeconds: 300 };
      await client.createApp({ id: '/d/crash', cmd: 'exit 3', cpus: 0.1, mem: 16, ...limits });
      const item = await until('the next start is delayed', 45_000, async () => {
        const now = await queued('/d/crash');
        return now && now.delay.timeLeftSeconds > 10 ? now : undefined;
      });
      expect(item.delay.overdue).toBe(false);
      expect(await client.getApp('/d/crash')).toMatchObject({
        deployments: [],
        lastTaskFailure: { state: 'TASK_FAILED', message: expect.stringContaining('3') },
      });
      const failed = (await client.getApp('/d/crash'))?.lastTaskFailure?.taskId;
      expect((await rig.call('DELETE', '/v2/queue//d/crash/delay')).status).toBe(204);
      await until('it was started again at once', 45_000, async () => {
        const app = await client.getApp('/d/crash');
        return app?.lastTaskFailure?.taskId !== failed;
      });
      expect((await rig.call('DELETE', '/v2/queue//d/none/delay')).status).toBe(404);
    });

    under.it('keep constraints: UNIQUE leaves the surplus in the queue, GROUP_BY splits evenly', async () => {
      await client.createApp({ id: '/d/unique', instances: 3, constraints: [['hostname', 'UNIQUE']], ...SLEEP });
      await until('both agents have one', 45_000, async () => (await running('/d/unique')) === 2);
      const item = await until('the third waits', 45_000, async () => {
        const now = await queued('/d/unique');
        return now?.processedOffersSummary?.unusedOffersCount ? now : undefined;
      });
      expect(item.count).toBe(1);
      const reasons = item.processedOffersSummary?.rejectSummaryLastOffers ?? [];
      expect(reasons.find(({ reason }) => reason === 'UnfulfilledConstraint')?.declined).toBeGreaterThan(0);

      await client.createApp({ id: '/d/even', instances: 4, constraints: [['rack', 'GROUP_BY', '2']], ...SLEEP });
      const even = await settled(client, '/d/even', 4);
      const hosts = Object.values(Object.groupBy(even.tasks, ({ host }) => host)).map((tasks) => tasks?.length);
      expect(hosts).toEqual([2, 2]);
    });

    under.it('that restart are undone by one more restart', async () => {
      // Each host has one already, so no other can start.
      await client.createApp({ id: '/d/again', instances: 2, constraints: [['hostname', 'UNIQUE']], ...SLEEP });
      await settled(client, '/d/again', 2);
      await rig.call('POST', '/v2/apps//d/again/restart');
      const [hangs] = await client.deployments();
      const undone = await rig.call('DELETE', `/v2/deployments/${hangs?.id}`);
      expect(undone.status).toBe(200);
      const { deploymentId } = undone.body as { deploymentId: string };
      expect(deploymentId).not.toBe(hangs?.id);
      expect(await client.deployments()).toMatchObject([
        { id: deploymentId, currentActions: [{ action: 'RestartApplication', app: '/d/again' }] },
      ]);
    });

    under.it('take a group up in the order of its dependencies, scale it and take it back', async () => {
      const { events, stop } = await recordEvents(rig.url);
      const group = {
        id: '/g',
        groups: [
          { id: 'db', apps: [{ id: 'pg', ...SLEEP }] },
          { id: 'app', dependencies: ['/g/db'], apps: [{ id: 'web', instances: 2, ...SLEEP }] },
        ],
      };
      const dry = await rig.call('PUT', '/v2/groups//g?dryRun=true', group);
      expect(dry.body).toEqual({
        steps: [
          {
            actions: [
              { action: 'StartApplication', app: '/g/app/web' },
              { action: 'StartApplication', app: '/g/db/pg' },
            ],
          },
          { actions: [{ action: 'ScaleApplication', app: '/g/db/pg' }] },
          { actions: [{ action: 'ScaleApplication', app: '/g/app/web' }] },
        ].map(({ actions }) => ({ actions: expect.arrayContaining(actions) })),
      });
      expect(await client.listApps()).toEqual([]);
      const created = await rig.call('POST', '/v2/groups', group);
      expect(created.status).toBe(201);
      await settled(client, '/g/app/web', 2);
      const started = () =>
        events.filter((event) => event['condition'] === 'Running').map((event) => event['runSpecId']);
      await until('all three were told', 45_000, () => started().length === 3);
      await stop();
      expect(started()).toEqual(['/g/db/pg', '/g/app/web', '/g/app/web']);

      expect((await rig.call('PUT', '/v2/groups//g', { scaleBy: 1.5 })).status).toBe(200);
      await settled(client, '/g/app/web', 3);
      await settled(client, '/g/db/pg', 2);
      const { version } = created.body as { version: string };
      expect((await rig.call('PUT', '/v2/groups//g', { version })).status).toBe(200);
      await settled(client, '/g/app/web', 2);
      await settled(client, '/g/db/pg', 1);
    });
  });
});
