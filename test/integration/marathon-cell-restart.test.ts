import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import type { MarathonClient } from '../../activities/marathon/client.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { ask, MARATHON_AGENTS, type MarathonRig, SLEEP, settled, startRig, taskIds, web } from './marathon-rig.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(240_000);

let rig: MarathonRig;
let client: MarathonClient;

describeOnEachMesos('a Marathon that dies', { agents: MARATHON_AGENTS }, (under) => {
  beforeAll(async () => {
    rig = await startRig(under.mesos);
    ({ client } = rig);
  });
  afterAll(() => rig?.stop());

  /** Tasks that Mesos has running for Marathon, whatever Marathon itself says. */
  async function mesosTasks(): Promise<readonly string[]> {
    const answer = await fetch(`${under.mesos.masterUrl}/tasks?limit=1000`);
    const { tasks } = (await answer.json()) as { tasks: { id: string; state: string }[] };
    return tasks.flatMap(({ id, state }) => (state === 'TASK_RUNNING' ? [id] : [])).toSorted();
  }

  describe('a Marathon that is killed with SIGKILL', () => {
    under.it('finds its apps and tasks again as the same framework, and doubles or loses none', async () => {
      // The executor of the real one does not look after health.
      await client.createApp({ id: '/r/web', instances: 2, ...web(under.kind === 'real' ? 'HTTP' : 'MESOS_HTTP') });
      await client.createApp({ id: '/r/own', instances: 2, ...web('HTTP') });
      const before = taskIds(await settled(client, '/r/web', 2));
      const own = taskIds(await settled(client, '/r/own', 2));
      const { frameworkId } = await client.info();
      const versions = (await client.getApp('/r/web'))?.version;
      await rig.kill();
      expect(await mesosTasks()).toHaveLength(4);
      await rig.restart();
      expect(taskIds(await settled(client, '/r/web', 2))).toEqual(before);
      expect(taskIds(await settled(client, '/r/own', 2))).toEqual(own);
      expect(await mesosTasks()).toEqual([...before, ...own].toSorted());
      expect(await client.info()).toMatchObject({ frameworkId });
      expect((await client.getApp('/r/web'))?.version).toBe(versions);
      await client.scaleApp('/r/web', 3);
      expect(taskIds(await settled(client, '/r/web', 3))).toEqual(expect.arrayContaining(before));
    });

    under.it('replaces a task that ended meanwhile', async () => {
      const { tasks } = await settled(client, '/r/web', 3);
      const [victim, ...others] = tasks;
      if (!victim) throw new Error('there is no task');
      await rig.kill();
      await ask(victim, '/exit');
      await until('the task has ended', 45_000, async () => !(await mesosTasks()).includes(victim.id));
      await rig.restart();
      const after = await until('another runs in its place', 60_000, async () => {
        const app = await settled(client, '/r/web', 3);
        return taskIds(app).includes(victim.id) ? undefined : app;
      });
      expect(taskIds(after)).toEqual(expect.arrayContaining(taskIds({ tasks: others })));
    });

    under.it('goes on with deployments at whatever moment it dies', async () => {
      await client.createApp({ id: '/r/many', instances: 0, ...SLEEP });
      await settled(client, '/r/many', 0);
      for (const [round, instances] of [6, 1, 8, 0, 5].entries()) {
        await client.scaleApp('/r/many', instances, { force: true });
        // A little later each time: before offers, between launches, between updates.
        await new Promise((resolve) => setTimeout(resolve, round * 12));
        await rig.kill();
        await rig.restart();
        await settled(client, '/r/many', instances);
        const own = taskIds((await client.getApp('/r/many')) ?? { tasks: [] });
        await until('Mesos runs just these', 45_000, async () => {
          const there = (await mesosTasks()).filter((id) => id.startsWith('r_many.'));
          return JSON.stringify(there) === JSON.stringify(own);
        });
      }
    });

    under.it('finishes the deletion it had begun', async () => {
      await client.deleteApp('/r/many');
      await rig.kill();
      await rig.restart();
      await until(
        'its tasks are gone',
        45_000,
        async () => !(await mesosTasks()).some((id) => id.startsWith('r_many.')),
      );
      await until('the deployment is over', 45_000, async () => (await client.deployments()).length === 0);
      expect(await client.getApp('/r/many')).toBeUndefined();
    });
  });
});
