import { describe, expect, it, jest } from '@jest/globals';
import type { MarathonEvent } from '../../../activities/marathon/types.ts';
import { web, webCommand } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { ids, onBothProfiles, SLEEP } from './rig.ts';

jest.setTimeout(180_000);

/** More than an agent has: its deployment never ends. */
const IMPOSSIBLE = { cpus: 100 };

const stepsOf = (event: MarathonEvent) => (event['plan'] as { readonly steps: unknown }).steps;

/** What events say of the instances of one app, one entry a change. */
function timeline(events: readonly MarathonEvent[], app: string) {
  const existing = new Set<unknown>();
  const healthy = new Set<unknown>();
  const counts: { existing: number; healthy: number }[] = [];
  for (const event of events) {
    const { eventType, instanceId, condition } = event as Readonly<Record<string, unknown>>;
    if (eventType === 'instance_changed_event' && event['runSpecId'] === app) {
      if (condition === 'Killed') {
        existing.delete(instanceId);
        healthy.delete(instanceId);
      } else if (condition !== 'Scheduled') existing.add(instanceId);
    } else if (eventType === 'health_status_changed_event' && event['appId'] === app && event['alive'] === true) {
      healthy.add(instanceId);
    } else continue;
    counts.push({ existing: existing.size, healthy: healthy.size });
  }
  return counts;
}

onBothProfiles((rig) => {
  const deployments = async () => (await rig.call('GET', '/v2/deployments')).body;
  const instancesOf = async (id: string): Promise<number> =>
    (await rig.call('GET', `/v2/apps${id}`)).body.app.instances;
  const create = (group: unknown) => rig.call('POST', '/v2/groups', group);
  const sleeps = (id: string, more: object = {}) => ({ id, ...SLEEP, ...more });

  it('31. A new app is started, then scaled; an update is one restart; actions have an action and an app', async () => {
    const { body: created } = await rig.call('POST', '/v2/apps', sleeps('/a'));
    const start = await rig.told('deployment_success', { id: created.deployments[0].id });
    expect(stepsOf(start)).toEqual([
      { actions: [{ action: 'StartApplication', app: '/a' }] },
      { actions: [{ action: 'ScaleApplication', app: '/a' }] },
    ]);
    const { body: updated } = await rig.call('PUT', '/v2/apps/a', { labels: { a: '1' } });
    const [running] = await deployments();
    const steps = [{ actions: [{ action: 'RestartApplication', app: '/a' }] }];
    expect(running).toMatchObject({ id: updated.deploymentId, steps, currentStep: 1, totalSteps: 1 });
    expect(stepsOf(await rig.told('deployment_success', { id: updated.deploymentId }))).toEqual(steps);
  });

  it('32. A deployment that is deleted is undone by a new one; with force it is only stopped', async () => {
    await rig.create({ id: '/a' });
    const { body: first } = await rig.call('PUT', '/v2/apps/a', IMPOSSIBLE);
    const undone = await rig.call('DELETE', `/v2/deployments/${first.deploymentId}`);
    expect(undone.status).toBe(200);
    expect(undone.body.deploymentId).not.toBe(first.deploymentId);
    await rig.told('deployment_failed', { id: first.deploymentId });
    await rig.told('deployment_success', { id: undone.body.deploymentId });
    expect(await rig.settled('/a')).toMatchObject({ cpus: SLEEP.cpus });

    const { body: second } = await rig.call('PUT', '/v2/apps/a', IMPOSSIBLE);
    const stopped = await rig.call('DELETE', `/v2/deployments/${second.deploymentId}?force=true`);
    expect([stopped.status, stopped.body]).toEqual([202, '']);
    expect(await deployments()).toEqual([]);
    expect((await rig.call('GET', '/v2/apps/a')).body.app).toMatchObject(IMPOSSIBLE);
  });

  it('33. An unknown deployment is a 404 that says so', async () => {
    const id = 'a1b2c3d4-0000-0000-0000-000000000000';
    const answer = await rig.call('DELETE', `/v2/deployments/${id}`);
    expect(answer).toMatchObject({ status: 404, body: { message: `DeploymentPlan ${id} does not exist` } });
  });

  it('34. The deployment of an impossible app stays while it scales, and the queue says why', async () => {
    const { body: created } = await rig.call('POST', '/v2/apps', sleeps('/a', IMPOSSIBLE));
    const item = await until('offers of both agents were looked at', 30_000, async () => {
      const { queue } = (await rig.call('GET', '/v2/queue')).body;
      return queue[0]?.processedOffersSummary.rejectSummaryLastOffers[0].processed === 2 ? queue[0] : undefined;
    });
    expect(item).toMatchObject({ count: 1, app: { id: '/a' } });
    expect(item.processedOffersSummary.rejectSummaryLastOffers).toContainEqual({
      reason: 'InsufficientCpus',
      declined: 2,
      processed: 2,
    });
    expect(await deployments()).toMatchObject([
      {
        id: created.deployments[0].id,
        currentStep: 2,
        currentActions: [{ action: 'ScaleApplication', app: '/a', readinessCheckResults: [] }],
      },
    ]);
  });

  it('35. An app is started after the one it depends on', async () => {
    const apps = [sleeps('web', { dependencies: ['/g/db'] }), sleeps('db')];
    const { body } = await create({ id: '/g', apps });
    const done = await rig.told('deployment_success', { id: body.deploymentId });
    const scales = (stepsOf(done) as { actions: { action: string; app: string }[] }[])
      .map(({ actions }) => actions.filter(({ action }) => action === 'ScaleApplication').map(({ app }) => app))
      .filter((names) => names.length > 0);
    expect(scales).toEqual([['/g/db'], ['/g/web']]);
    const at = (id: string, taskStatus: string) =>
      rig.events.findIndex((event) => event['appId'] === id && event['taskStatus'] === taskStatus);
    expect(at('/g/db', 'TASK_RUNNING')).toBeGreaterThan(0);
    expect(at('/g/web', 'TASK_STARTING')).toBeGreaterThan(at('/g/db', 'TASK_RUNNING'));
  });

  it('36. A group whose dependencies go round in a circle is refused', async () => {
    const apps = [sleeps('a', { dependencies: ['/g/b'] }), sleeps('b', { dependencies: ['/g/a'] })];
    const { status, body } = await create({ id: '/g', apps });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { details: [{ path: '/', errors: ['Dependency graph has cyclic dependencies.'] }] },
    });
    expect((await rig.call('GET', '/v2/apps')).body.apps).toEqual([]);
  });

  it('37. A group is scaled by a factor: every app of it, rounded up', async () => {
    await create({ id: '/g', apps: [sleeps('a', { instances: 1 }), sleeps('b', { instances: 3 })] });
    await rig.settled('/g/b');
    expect((await rig.call('PUT', '/v2/groups/g', { scaleBy: 2 })).status).toBe(200);
    expect(await Promise.all(['/g/a', '/g/b'].map(instancesOf))).toEqual([2, 6]);
    await rig.settled('/g/a');
    await rig.settled('/g/b');
    await rig.call('PUT', '/v2/groups/g', { scaleBy: 0.75 });
    expect(await Promise.all(['/g/a', '/g/b'].map(instancesOf))).toEqual([2, 5]);
    await rig.settled('/g/b');
  });

  it('38. A dry run of a group lists the steps and changes nothing', async () => {
    await create({ id: '/g', apps: [sleeps('a')] });
    const before = await rig.settled('/g/a');
    const changed = { id: '/g', apps: [sleeps('a', { cmd: 'exec sleep 2000' }), sleeps('b')] };
    const { status, body } = await rig.call('PUT', '/v2/groups/g?dryRun=true', changed);
    expect(status).toBe(200);
    const actions = body.steps.flatMap((step: { actions: unknown[] }) => step.actions);
    expect(actions).toHaveLength(3);
    expect(actions).toEqual(
      expect.arrayContaining([
        { action: 'StartApplication', app: '/g/b' },
        { action: 'RestartApplication', app: '/g/a' },
        { action: 'ScaleApplication', app: '/g/b' },
      ]),
    );
    expect(await deployments()).toEqual([]);
    expect((await rig.call('GET', '/v2/apps')).body.apps).toMatchObject([{ id: '/g/a', version: before.version }]);
  });

  it('39. A group goes back to a version of its own', async () => {
    const { body: first } = await create({ id: '/g', apps: [sleeps('a'), sleeps('b', { instances: 0 })] });
    await rig.settled('/g/a');
    await rig.call('PUT', '/v2/groups/g', { id: '/g', apps: [sleeps('a', { cmd: 'exec sleep 2000' })] });
    await until('b is gone', 30_000, async () => (await deployments()).length === 0);
    expect((await rig.call('GET', '/v2/apps/g/b')).status).toBe(404);
    expect((await rig.call('GET', '/v2/groups/g/versions')).body).toContain(first.version);
    const back = await rig.call('PUT', '/v2/groups/g', { version: first.version });
    expect(back.status).toBe(200);
    expect(await rig.settled('/g/a')).toMatchObject({ cmd: SLEEP.cmd });
    expect((await rig.call('GET', '/v2/apps/g/b')).status).toBe(200);
  });

  it('40. A deleted group takes every app below it along', async () => {
    await create({ id: '/g', apps: [sleeps('a')], groups: [{ id: 'deep', apps: [sleeps('b')] }] });
    await rig.settled('/g/a');
    await rig.settled('/g/deep/b');
    const { status, body } = await rig.call('DELETE', '/v2/groups/g');
    expect(status).toBe(200);
    await rig.told('deployment_success', { id: body.deploymentId });
    expect((await rig.call('GET', '/v2/apps')).body.apps).toEqual([]);
    expect((await rig.call('GET', '/v2/groups/g')).status).toBe(404);
    await until('no task is left', 30_000, async () => (await rig.client.listAllTasks()).length === 0);
  });

  const upgraded = async (strategy: { minimumHealthCapacity: number; maximumOverCapacity: number }) => {
    const from = rig.events.length;
    const app = { id: '/a', instances: 2, ...web('HTTP', { upgradeStrategy: strategy }) };
    await rig.call('POST', '/v2/apps', app);
    await until('both are healthy', 20_000, async () => {
      const { app: now } = (await rig.call('GET', '/v2/apps/a')).body;
      return now.tasksHealthy === 2 && now.deployments.length === 0;
    });
    const begun = timeline(rig.events.slice(from), '/a').length;
    const { body } = await rig.call('PUT', '/v2/apps/a', { env: { NEW: '1' } });
    await rig.told('deployment_success', { id: body.deploymentId });
    return timeline(rig.events.slice(from), '/a').slice(begun);
  };

  it('41. With a minimum health capacity of 1 an update never has fewer healthy tasks than instances', async () => {
    const counts = await upgraded({ minimumHealthCapacity: 1, maximumOverCapacity: 0.5 });
    expect(counts.length).toBeGreaterThan(8);
    expect(Math.min(...counts.map(({ healthy }) => healthy))).toBe(2);
  });

  describe('42. An update never has more tasks than instances × (1 + over), and one more where that is the minimum', () => {
    it.each([
      { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5, most: 3 },
      { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.9, most: 3 },
      { minimumHealthCapacity: 1, maximumOverCapacity: 1, most: 4 },
      // 1.10 and later never end it, with checks made by Marathon: nothing is healthy in their eyes, nothing is killed.
      ...(rig.profile === '1.7' ? [{ minimumHealthCapacity: 1, maximumOverCapacity: 0, most: 3 }] : []),
    ])('$minimumHealthCapacity and $maximumOverCapacity: $most of 2', async ({ most, ...strategy }) => {
      const counts = await upgraded(strategy);
      expect(Math.max(...counts.map(({ existing }) => existing))).toBe(most);
    });
  });

  describe('43. An update that never gets healthy keeps the old ones and never ends; going back replaces every task', () => {
    const sick = `${webCommand()}`.replace('broken = false', 'broken = true');
    it.each([
      ['by force', (definition: object) => rig.call('PUT', '/v2/apps/a?force=true', definition)],
      ['by version', (_: object, version: string) => rig.call('PUT', '/v2/apps/a?force=true', { version })],
      ['by its deletion', (_: object, __: string, id: string) => rig.call('DELETE', `/v2/deployments/${id}`)],
    ])('%s', async (_how, goBack) => {
      const checked = web('HTTP', { upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5 } });
      const definition = {
        ...checked,
        healthChecks: checked.healthChecks.map((check) => ({ ...check, gracePeriodSeconds: 0 })),
      };
      await rig.call('POST', '/v2/apps', { id: '/a', instances: 2, ...definition });
      const healthy = (tasks: number) =>
        until(`${tasks} are healthy`, 20_000, async () => {
          const { app } = (await rig.call('GET', '/v2/apps/a')).body;
          return app.tasksHealthy === tasks && app.deployments.length === 0 ? app : undefined;
        });
      const before = await healthy(2);
      const { body: update } = await rig.call('PUT', '/v2/apps/a', { cmd: sick });
      const told = rig.events.length;
      await until('a new one was killed for its health', 20_000, () =>
        rig.events.slice(told).some(({ eventType }) => eventType === 'unhealthy_instance_kill_event'),
      );
      const { app: stuck } = (await rig.call('GET', '/v2/apps/a')).body;
      expect(stuck.deployments).toEqual([{ id: update.deploymentId }]);
      const old = ids(stuck.tasks).filter((id) => ids(before.tasks).includes(id));
      expect(old.length).toBeGreaterThanOrEqual(1);

      expect((await goBack(definition, before.version, update.deploymentId)).status).toBe(200);
      const after = await healthy(2);
      expect(after.cmd).toBe(before.cmd);
      expect(ids(after.tasks).filter((id) => ids(before.tasks).includes(id))).toEqual([]);
    });
  });

  it('44. A deployment in the middle goes on after a restart of Marathon', async () => {
    const [, port] = rig.portRange('agent1');
    const pinned = { requirePorts: true, portDefinitions: [{ port }], constraints: [['hostname', 'LIKE', 'agent1']] };
    await rig.create({ id: '/holder', ...SLEEP, ...pinned });
    await rig.call('POST', '/v2/apps', sleeps('/waits', pinned));
    const [before] = await until('it is at its second step', 30_000, async () => {
      const running = await deployments();
      return running[0]?.currentStep === 2 ? running : undefined;
    });
    await rig.restartMarathon();
    expect(await deployments()).toMatchObject([{ id: before.id, version: before.version, currentStep: 2 }]);
    await rig.call('DELETE', '/v2/apps/holder');
    expect((await rig.settled('/waits')).tasks).toMatchObject([{ ports: [port] }]);
  });
});
