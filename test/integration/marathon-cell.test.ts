import { describe, expect, jest } from '@jest/globals';
import { z } from 'zod';
import type { MarathonClient } from '../../activities/marathon/client.ts';
import type { MarathonTask } from '../../activities/marathon/types.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import {
  ask,
  MARATHON_AGENTS,
  type MarathonRig,
  recordEvents,
  SLEEP,
  settled,
  taskIds,
  useRig,
  web,
  webCommand,
} from './marathon-rig.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(180_000);

let rig: MarathonRig;
let client: MarathonClient;

describeOnEachMesos('Marathon', { agents: MARATHON_AGENTS }, (under) => {
  useRig(
    () => under.mesos,
    (started) => {
      rig = started;
      ({ client } = rig);
    },
  );

  const alive = async (tasks: readonly MarathonTask[]) =>
    (await Promise.all(tasks.map((task) => ask(task)))).filter((status) => status !== undefined).length;

  describe('an app', () => {
    for (const protocol of ['HTTP', 'MESOS_HTTP'] as const) {
      under.it(`starts, scales to the very number and goes, with ${protocol} checks`, async () => {
        const { events, stop } = await recordEvents(rig.url);
        await client.createApp({
          id: '/p/web',
          instances: 2,
          constraints: [['env', 'LIKE', '^prod$']],
          ...web(protocol),
        });
        const two = await settled(client, '/p/web', 2);
        expect(new Set(two.tasks.map(({ host }) => host))).toEqual(new Set(['prod-1']));
        expect(await alive(two.tasks)).toBe(2);
        expect(await client.queue()).toEqual([]);

        await client.scaleApp('/p/web', 4);
        const four = await settled(client, '/p/web', 4);
        expect(taskIds(four)).toEqual(expect.arrayContaining(taskIds(two)));
        expect(new Set(four.tasks.map(({ ports }) => ports[0])).size).toBe(4);

        await client.scaleApp('/p/web', 1);
        const one = await settled(client, '/p/web', 1);
        // The youngest go first.
        expect(taskIds(two)).toEqual(expect.arrayContaining(taskIds(one)));
        expect(await alive(four.tasks)).toBe(1);

        const deletion = await client.deleteApp('/p/web');
        expect(await client.getApp('/p/web')).toBeUndefined();
        await until('the app is stopped', 45_000, async () => (await client.deployments()).length === 0);
        expect(await alive(four.tasks)).toBe(0);
        await until('it was told', 30_000, () =>
          events.some((event) => event.eventType === 'deployment_success' && event['id'] === deletion?.deploymentId),
        );
        await stop();

        const types = events.map(({ eventType }) => eventType);
        expect(types.slice(0, 7)).toEqual([
          'event_stream_attached',
          'deployment_info',
          'add_health_check_event',
          'group_change_success',
          'api_post_event',
          'deployment_step_success',
          'deployment_info',
        ]);
        const first = events.find((event) => event['condition'] === 'Created')?.['instanceId'];
        const conditions = events.filter((event) => event['instanceId'] === first).map((event) => event['condition']);
        expect(conditions.slice(0, 3)).toEqual(['Created', 'Starting', 'Running']);
        expect(types.filter((type) => type === 'app_terminated_event')).toHaveLength(1);
        expect(types.slice(-3)).toEqual(['app_terminated_event', 'deployment_step_success', 'deployment_success']);
      });
    }

    for (const protocol of ['HTTP', 'MESOS_HTTP'] as const) {
      under.it(`is replaced where its ${protocol} check turns red`, async () => {
        await client.createApp({ id: '/p/web', ...web(protocol) });
        const [broken] = (await settled(client, '/p/web', 1)).tasks;
        if (!broken) throw new Error('there is no task');
        await ask(broken, '/break');
        const app = await until('another task is healthy', 60_000, async () => {
          const now = await settled(client, '/p/web', 1);
          return now.tasks[0]?.id === broken.id ? undefined : now;
        });
        expect(app.lastTaskFailure).toMatchObject({ taskId: broken.id, state: 'TASK_KILLED' });
        if (protocol === 'HTTP') {
          const message = 'Task was killed since health check failed. Reason: 500 Internal Server Error';
          expect(app.lastTaskFailure?.message).toBe(message);
        }
        // Not by its port: the new task may have drawn the same one.
        const ended = await fetch(`${under.mesos.masterUrl}/tasks?task_id=${broken.id}`).then((answer) =>
          answer.text(),
        );
        expect(ended).toContain('"state":"TASK_KILLED"');
      });
    }

    under.it('replaces a task that was killed, and not one that was killed to scale', async () => {
      await client.createApp({ id: '/p/sleep', instances: 2, ...SLEEP });
      const before = taskIds(await settled(client, '/p/sleep', 2));
      const [first = '', second = ''] = before;
      expect(await client.killTasks([first])).toMatchObject([{ id: first, state: 'TASK_RUNNING' }]);
      const after = await until('the task is replaced', 45_000, async () => {
        const app = await settled(client, '/p/sleep', 2);
        return taskIds(app).includes(first) ? undefined : app;
      });
      expect(taskIds(after)).toContain(second);
      await client.killTasksAndScale([second]);
      const left = await settled(client, '/p/sleep', 1);
      expect(left.instances).toBe(1);
      expect(taskIds(left)).not.toContain(second);
      expect(before).not.toContain(taskIds(left)[0]);
    });

    under.it('is upgraded without ever having too few or too many healthy ones', async () => {
      const strategy = { minimumHealthCapacity: 1, maximumOverCapacity: 0.5 };
      await client.createApp({ id: '/p/web', instances: 2, ...web('HTTP', { upgradeStrategy: strategy }) });
      const old = await settled(client, '/p/web', 2);
      await rig.call('PUT', '/v2/apps//p/web', { env: { NEW: '1' } });
      const seen: { healthy: number; tasks: number }[] = [];
      const renewed = await until('the new ones have taken over', 60_000, async () => {
        const app = await client.getApp('/p/web');
        seen.push({ healthy: app?.tasksHealthy ?? 0, tasks: app?.tasks.length ?? 0 });
        return app?.deployments.length === 0 ? app : undefined;
      });
      expect(taskIds(renewed).filter((id) => taskIds(old).includes(id))).toEqual([]);
      expect(renewed).toMatchObject({ tasksHealthy: 2, env: { NEW: '1' } });
      expect(Math.min(...seen.map(({ healthy }) => healthy))).toBeGreaterThanOrEqual(2);
      expect(Math.max(...seen.map(({ tasks }) => tasks))).toBeLessThanOrEqual(3);
    });

    under.it('waits for its readiness check, and shows what it says', async () => {
      await client.createApp({
        id: '/p/ready',
        cmd: webCommand({ refusals: Number.MAX_SAFE_INTEGER }),
        cpus: 0.1,
        mem: 32,
        portDefinitions: [{ port: 0, name: 'http-api' }],
        readinessChecks: [{ path: '/', intervalSeconds: 2, timeoutSeconds: 1, preserveLastResponse: true }],
      });
      const readinessResults = z.array(
        z.looseObject({ lastResponse: z.looseObject({ status: z.number() }).optional() }),
      );
      const waiting = await until('the task has said no', 45_000, async () => {
        const app = await client.getApp('/p/ready', { embed: ['readiness', 'deployments'] });
        const [result] = readinessResults.parse(app?.['readinessCheckResults'] ?? []);
        return result?.lastResponse?.status === 503 && app ? { result, app } : undefined;
      });
      expect(waiting.result).toMatchObject({
        name: 'readinessCheck',
        ready: false,
        lastResponse: { status: 503, body: waiting.app.version },
      });
      expect(waiting.app.deployments).toHaveLength(1);
      for (const task of waiting.app.tasks) await ask(task, '/ready');
      await settled(client, '/p/ready', 1);
    });
  });
});
