import { expect, it, jest } from '@jest/globals';
import { until } from '../../integration/mesos-until.ts';
import { ids, onBothProfiles, SLEEP } from './rig.ts';

jest.setTimeout(180_000);

const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** More than an agent has: its deployment never ends. */
const IMPOSSIBLE = { ...SLEEP, cpus: 100 };

onBothProfiles((rig) => {
  it('1. An app of cmd, mem, cpus and instances is created with 201, and the answer lists one deployment', async () => {
    const { status, headers, body } = await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP, instances: 1 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ id: '/a', deployments: [{ id: headers.get('Marathon-Deployment-Id') }] });
    expect(body.deployments).toHaveLength(1);
  });

  it('2. Right after the creation there is exactly one deployment, and it names the app', async () => {
    await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP });
    const { body } = await rig.call('GET', '/v2/deployments');
    expect(body).toHaveLength(1);
    expect(body[0].affectedApps).toEqual(['/a']);
  });

  it('3. Old spellings are accepted, and can be read back as the new ones', async () => {
    const created = await rig.call('POST', '/v2/apps', {
      id: '/a',
      cpus: 0.1,
      mem: 16,
      instances: 0,
      args: [],
      constraints: null,
      uris: ['http://example.com/a.tgz'],
      container: {
        type: 'DOCKER',
        docker: { image: 'nginx', network: 'BRIDGE', portMappings: [{ containerPort: 80, hostPort: 0 }] },
      },
    });
    expect(created.status).toBe(201);
    const { app } = (await rig.call('GET', '/v2/apps/a')).body;
    expect(app).toMatchObject({
      fetch: [{ uri: 'http://example.com/a.tgz', extract: true }],
      networks: [{ mode: 'container/bridge' }],
      container: { docker: { image: 'nginx' }, portMappings: [{ containerPort: 80, hostPort: 0 }] },
    });
    for (const old of ['uris', 'ports', 'constraints', 'args', 'ipAddress']) expect(app).not.toHaveProperty(old);
    expect(app.container.docker).not.toHaveProperty('portMappings');
    expect(app.container.docker).not.toHaveProperty('network');
  });

  it('4. A second creation under the same id is 409 and names no deployments', async () => {
    await rig.create({ id: '/a' });
    const { status, body } = await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP });
    expect({ status, body }).toEqual({ status: 409, body: { message: 'An app with id [/a] already exists.' } });
  });

  it('5. A change while a deployment runs is 409 and names it; with force it is made', async () => {
    const { body: created } = await rig.call('POST', '/v2/apps', { id: '/a', ...IMPOSSIBLE });
    const refused = await rig.call('PUT', '/v2/apps/a', SLEEP);
    expect(refused.status).toBe(409);
    expect(refused.body).toEqual({
      message: expect.stringContaining('App is locked by one or more deployments.'),
      deployments: created.deployments,
    });
    const forced = await rig.call('PUT', '/v2/apps/a?force=true', SLEEP);
    expect(forced.status).toBe(200);
    expect(await rig.settled('/a')).toMatchObject({ cpus: 0.1 });
  });

  it('6. A text for cpus is refused in the very words of Marathon', async () => {
    const { status, body } = await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP, cpus: 'x' });
    expect({ status, body }).toEqual({
      status: 422,
      body: { message: 'Invalid JSON', details: [{ path: '/cpus', errors: ['error.expected.jsnumber'] }] },
    });
  });

  it('7. An unknown app is a 404 that says so, whatever is asked of it', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/restart'],
      ['GET', '/tasks'],
      ['DELETE', '/tasks?scale=true'],
      ['GET', '/versions'],
    ]) {
      const { status, body } = await rig.call(`${method}`, `/v2/apps/missing-id${path}`);
      // A recorded 1.11 calls it a path where it is to be scaled.
      const words = path?.includes('scale')
        ? /^(App|Path) '\/missing-id' does not exist$/
        : /^App '\/missing-id' does not exist$/;
      expect([method, path, status, body.message]).toEqual([method, path, 404, expect.stringMatching(words)]);
    }
    const scaled = await rig.call('PATCH', '/v2/apps/missing-id', { ...SLEEP, instances: 2 });
    expect(scaled).toMatchObject({ status: 404, body: { message: "App '/missing-id' does not exist" } });
  });

  it('8. JSON that breaks off is 400', async () => {
    const { status, body } = await rig.call('POST', '/v2/apps', '{"id": "/a", "cmd":');
    expect({ status, body }).toMatchObject({ status: 400, body: { message: 'Invalid JSON' } });
  });

  it('9. A new number of instances is no new configuration: tasks keep their version', async () => {
    const before = await rig.create({ id: '/a' });
    const { body: change } = await rig.call('PUT', '/v2/apps/a', { instances: 2 });
    const after = await rig.settled('/a');
    expect(after.version).toBe(change.version);
    expect(after.versionInfo).toEqual({
      lastScalingAt: change.version,
      lastConfigChangeAt: before.versionInfo.lastConfigChangeAt,
    });
    expect(ids(after.tasks)).toEqual(expect.arrayContaining([...ids(before.tasks)]));
    const kept = after.tasks.find(({ id }: { id: string }) => id === before.tasks[0].id);
    expect(kept.version).toBe(before.version);
  });

  it('10. A change that changes nothing keeps the version, and its deployment has no steps', async () => {
    const before = await rig.create({ id: '/a' });
    const { status, body } = await rig.call('PUT', '/v2/apps/a', { cmd: SLEEP.cmd });
    expect(status).toBe(200);
    expect(await rig.told('deployment_success', { id: body.deploymentId })).toMatchObject({ plan: { steps: [] } });
    const after = await rig.settled('/a');
    expect([after.version, after.versionInfo]).toEqual([before.version, before.versionInfo]);
    expect(ids(after.tasks)).toEqual(ids(before.tasks));
  });

  it('11. An env that is sent replaces the whole map', async () => {
    await rig.create({ id: '/a', env: { A: '1', B: '2' } });
    await rig.call('PUT', '/v2/apps/a', { env: { C: '3' } });
    expect((await rig.settled('/a')).env).toEqual({ C: '3' });
  });

  it('12. Every accepted version is listed and gives the definition of its time; another is a 404', async () => {
    const first = await rig.create({ id: '/a' });
    const { body: second } = await rig.call('PUT', '/v2/apps/a', { cmd: 'exec sleep 2000' });
    await rig.settled('/a');
    const { versions } = (await rig.call('GET', '/v2/apps/a/versions')).body;
    expect(versions).toEqual(expect.arrayContaining([first.version, second.version]));
    const old = await rig.call('GET', `/v2/apps/a/versions/${first.version}`);
    expect(old.body).toMatchObject({ id: '/a', cmd: SLEEP.cmd, version: first.version });
    const unknown = await rig.call('GET', '/v2/apps/a/versions/2015-01-01T00:00:00.000Z');
    expect(unknown.status).toBe(404);
    expect(unknown.body.message).toBe("App '/a' does not exist in version 2015-01-01T00:00:00.000Z");
  });

  it('13. An old version alone brings its definition back under a new one; beside another field it is 422', async () => {
    const first = await rig.create({ id: '/a' });
    const { body: second } = await rig.call('PUT', '/v2/apps/a', { cmd: 'exec sleep 2000' });
    await rig.settled('/a');
    const mixed = await rig.call('PUT', '/v2/apps/a', { version: first.version, cmd: 'exec sleep 3000' });
    expect(mixed).toMatchObject({
      status: 422,
      body: {
        details: [{ path: '/', errors: ["The 'version' field may only be combined with the 'id' field."] }],
      },
    });
    const { body: third } = await rig.call('PUT', '/v2/apps/a', { version: first.version });
    const restored = await rig.settled('/a');
    expect(restored).toMatchObject({ cmd: SLEEP.cmd, version: third.version });
    expect(third.version > second.version).toBe(true);
  });

  it('14. A restart gives every task a new start time and keeps the number', async () => {
    const before = await rig.create({ id: '/a', instances: 2 });
    expect((await rig.call('POST', '/v2/apps/a/restart')).status).toBe(200);
    const after = await rig.settled('/a');
    expect(after.tasks).toHaveLength(2);
    const starts = (app: typeof before) => app.tasks.map(({ startedAt }: { startedAt: string }) => startedAt);
    const latest = starts(before).toSorted().at(-1);
    for (const start of starts(after)) expect(start > latest).toBe(true);
  });

  it('15. A deleted app is off the list at once, its tasks end, and that is told', async () => {
    await rig.create({ id: '/fifteen/a' });
    expect((await rig.call('DELETE', '/v2/apps/fifteen/a')).status).toBe(200);
    expect((await rig.call('GET', '/v2/apps')).body).toEqual({ apps: [] });
    await rig.told('app_terminated_event', { appId: '/fifteen/a' });
    await until('its task is gone', 30_000, async () => (await rig.client.listAllTasks()).length === 0);
    expect((await rig.call('GET', '/v2/apps/fifteen/a')).status).toBe(404);
  });

  it('16. A deletion forces its way unless it is told not to', async () => {
    await rig.call('POST', '/v2/apps', { id: '/a', ...IMPOSSIBLE });
    const held = await rig.call('DELETE', '/v2/apps/a?force=false');
    expect(held).toMatchObject({ status: 409, body: { deployments: [{}] } });
    expect((await rig.call('DELETE', '/v2/apps/a')).status).toBe(200);
  });

  it('17. Apps are found by a part of their id, by their command and by a label selector', async () => {
    const apps = { '/web/front': { tier: 'front' }, '/web/back': { tier: 'back' }, '/other': { tier: 'back' } };
    for (const [id, labels] of Object.entries(apps)) {
      await rig.call('POST', '/v2/apps', { id, ...SLEEP, instances: 0, labels, cmd: `sleep ${id.length}` });
    }
    const found = async (query: string) => ids((await rig.call('GET', `/v2/apps?${query}`)).body.apps);
    expect(await found('id=web')).toEqual(['/web/back', '/web/front']);
    expect(await found('cmd=sleep%206')).toEqual(['/other']);
    expect(await found(`label=${encodeURIComponent('tier==back')}`)).toEqual(['/other', '/web/back']);
    expect(await found(`id=web&label=${encodeURIComponent('tier!=back')}`)).toEqual(['/web/front']);
  });

  it('18. Counts of tasks are numbers in every list of apps, asked for or not', async () => {
    await rig.create({ id: '/a', instances: 2 });
    const { apps } = (await rig.call('GET', '/v2/apps')).body;
    expect(apps).toMatchObject([{ tasksStaged: 0, tasksRunning: 2, tasksHealthy: 0, tasksUnhealthy: 0 }]);
  });

  it('19. Arguments or an image do in place of a command; nothing of all that is 422 at the root', async () => {
    const args = { id: '/args', cpus: 0.1, mem: 16, args: ['/bin/sleep', '1000'] };
    expect((await rig.call('POST', '/v2/apps', args)).status).toBe(201);
    const image = { id: '/image', instances: 0, container: { type: 'DOCKER', docker: { image: 'nginx' } } };
    expect((await rig.call('POST', '/v2/apps', image)).status).toBe(201);
    const nothing = await rig.call('POST', '/v2/apps', { id: '/nothing', cpus: 0.1 });
    const error = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";
    expect(nothing).toMatchObject({ status: 422, body: { details: [{ path: '/', errors: [error] }] } });
    expect(await rig.settled('/args')).toMatchObject({ tasksRunning: 1 });
  });

  it('20. A new label restarts the tasks', async () => {
    const before = await rig.create({ id: '/a', labels: { a: '1' } });
    const { body: change } = await rig.call('PUT', '/v2/apps/a', { labels: { a: '1', b: '2' } });
    const after = await rig.settled('/a');
    expect(after.tasks[0].id).not.toBe(before.tasks[0].id);
    expect(after.versionInfo.lastConfigChangeAt).toBe(change.version);
    expect(after.tasks[0].version).toMatch(TIME);
    expect(after.tasks[0].version).toBe(change.version);
  });
});
