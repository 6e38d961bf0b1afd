import { once } from 'node:events';
import { request } from 'node:http';
import { expect, it, jest } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { onBothProfiles, SLEEP } from './assertions/rig.ts';

/** What Marathon says of itself, and what the cell says of the things it has not. */

jest.setTimeout(60_000);

onBothProfiles((rig) => {
  it('describes itself with exactly the keys of its release', async () => {
    const { status, body } = await rig.call('GET', '/v2/info');
    expect(status).toBe(200);
    expect(Object.keys(body).toSorted()).toEqual([
      'buildref',
      'elected',
      'frameworkId',
      'http_config',
      'leader',
      'marathon_config',
      'name',
      'version',
      'zookeeper_config',
    ]);
    const own =
      rig.profile === '1.7' ? ['revive_offers_for_new_apps', 'revive_offers_repetitions'] : ['new_group_enforce_role'];
    const flags = Object.keys(body.marathon_config);
    expect(flags).toEqual(expect.arrayContaining([...own, 'master', 'mesos_leader_ui_url', 'maintenance_mode']));
    expect(flags).toHaveLength(rig.profile === '1.7' ? 42 : 41);
  });

  it('counts its apps and running instances in its metrics', async () => {
    const gauges = async () => {
      const all = (await rig.call('GET', '/metrics')).body.gauges;
      return [all['marathon.apps.active.gauge'].value, all['marathon.instances.running.gauge'].value];
    };
    expect(await gauges()).toEqual([0, 0]);
    await rig.create({ id: '/a', instances: 2 });
    await rig.create({ id: '/g/b' });
    expect(await gauges()).toEqual([2, 3]);
  });

  it('abdicates when asked to: streams end, and soon it leads again, its apps as they were', async () => {
    const before = await rig.create({ id: '/a' });
    await rig.withoutRecorder(async () => {
      const stream = await fetch(`${rig.url}/v2/events`, { headers: { Accept: 'text/event-stream' } });
      const answer = await rig.call('DELETE', '/v2/leader');
      expect(answer).toMatchObject({ status: 200, body: { message: 'Leadership abdicated' } });
      // Reads to the end, which there is none of while a leader leads.
      expect(await stream.text()).toMatch(/^event: event_stream_attached/);
      const { host } = new URL(rig.url);
      await until('it leads again', 30_000, async () => {
        const leader = await rig.call('GET', '/v2/leader');
        return leader.status === 200 && leader.body.leader === host;
      });
    });
    expect((await rig.settled('/a')).tasks).toMatchObject([{ id: before.tasks[0].id }]);
    const { body: scaled } = await rig.call('PUT', '/v2/apps/a', { instances: 2 });
    await rig.told('deployment_success', { id: scaled.deploymentId });
  });

  it('makes a change that came half before it abdicated and half after it leads again', async () => {
    const body = JSON.stringify({ id: '/late', ...SLEEP });
    await rig.withoutRecorder(async () => {
      const headers = { 'Content-Type': 'application/json', Expect: '100-continue' };
      const late = request(`${rig.url}/v2/apps`, { method: 'POST', headers });
      const answered = once(late, 'response');
      late.flushHeaders();
      // Then its head has been read and its handler chosen.
      await once(late, 'continue');
      late.write(body.slice(0, 5));
      expect((await rig.call('DELETE', '/v2/leader')).status).toBe(200);
      await until('it leads again', 30_000, async () => (await rig.call('GET', '/v2/leader')).status === 200);
      late.end(body.slice(5));
      const [answer] = await answered;
      expect(answer.statusCode).toBe(201);
      answer.resume();
    });
    expect((await rig.settled('/late')).tasks).toHaveLength(1);
  });

  it('has no plugins', async () => {
    expect((await rig.call('GET', '/v2/plugins')).body).toEqual({ plugins: [] });
  });

  it.each([
    ['GET', '/v2/pods', 'pods'],
    ['POST', '/v2/pods', 'pods'],
    ['GET', '/v2/pods/::status', 'pods'],
    ['PUT', '/v2/pods/p', 'pods'],
    ['DELETE', '/v2/pods/p::instances', 'pods'],
    ['GET', '/logging', 'loggers'],
    ['POST', '/logging', 'loggers'],
    ...(rig.profile === '1.7' ? [['GET', '/v2/schemas/app', 'JSON schemas'] as const] : []),
  ])('says that it has none: %s %s', async (method, path, what) => {
    const body = method === 'POST' || method === 'PUT' ? {} : undefined;
    const answer = await rig.call(method, path, body);
    expect([answer.status, answer.body.message]).toEqual([
      404,
      expect.stringMatching(`This cell .*(no|not) .*${what}`),
    ]);
  });

  it.each([
    [
      'a persistent volume',
      { container: { volumes: [{ containerPath: 'd', mode: 'RW', persistent: { size: 10 } }] } },
      '/container/volumes(0)/persistent',
      'This cell has no persistent volumes',
    ],
    [
      'an external volume',
      {
        container: {
          volumes: [{ containerPath: '/d', mode: 'RW', external: { name: 'd', provider: 'dvdi', options: {} } }],
        },
      },
      '/container/volumes(0)',
      'Feature external_volumes is not enabled',
    ],
    ['GPUs', { gpus: 1 }, '/', 'Feature gpu_resources is not enabled'],
    ['secrets', { secrets: { s: { source: '/x' } } }, '/secrets', 'Feature secrets is not enabled'],
    ['a secret in its environment', { env: { A: { secret: 's' } } }, '/env', 'requires the secrets feature'],
  ])('refuses an app with %s and says why', async (_what, more, path, error) => {
    const { status, body } = await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP, ...more });
    expect([status, body.message]).toEqual([422, 'Object is not valid']);
    expect(body.details).toContainEqual({ path, errors: [expect.stringContaining(error)] });
    expect((await rig.call('GET', '/v2/apps/a')).status).toBe(404);
  });

  it('keeps an app with a persistent volume as long as it has no instances', async () => {
    const container = { type: 'MESOS', volumes: [{ containerPath: 'd', mode: 'RW', persistent: { size: 10 } }] };
    const created = await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP, instances: 0, container });
    expect(created.status).toBe(201);
    expect((await rig.call('PUT', '/v2/apps/a', { instances: 1 })).status).toBe(422);
    expect((await rig.call('PUT', '/v2/groups', { scaleBy: 2 })).status).toBe(200);
    expect((await rig.call('GET', '/v2/apps/a')).body.app.instances).toBe(0);
  });
});
