import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { codeOf } from '../../../activities/mesos/thrown.ts';
import { until } from '../../integration/mesos-until.ts';
import { ids, onBothProfiles, SLEEP } from './rig.ts';

jest.setTimeout(180_000);

interface Task {
  readonly id: string;
  readonly host: string;
  readonly ports: readonly number[];
}

const ON_AGENT1 = [['hostname', 'LIKE', 'agent1']];

onBothProfiles((rig) => {
  const tasksOf = async (id: string): Promise<readonly Task[]> =>
    (await rig.call('GET', `/v2/apps${id}/tasks`)).body.tasks;

  it('21. Once the deployment is done the app lists as many tasks as it wants instances', async () => {
    await rig.create({ id: '/a', instances: 3 });
    expect(await tasksOf('/a')).toHaveLength(3);
  });

  it('22. A kill with scale removes exactly the named task and lowers the number of instances', async () => {
    const { tasks } = await rig.create({ id: '/a', instances: 3 });
    const [first, ...others] = tasks.map(({ id }: Task) => id);
    const killed = await rig.call('DELETE', `/v2/apps/a/tasks/${first}?scale=true`);
    expect(killed).toMatchObject({ status: 200, body: { deploymentId: killed.headers.get('Marathon-Deployment-Id') } });
    const left = await rig.settled('/a');
    expect(left.instances).toBe(2);
    expect(ids(left.tasks)).toEqual(others.toSorted());
  });

  it('A task that a list names twice lowers the number of instances by one', async () => {
    const { tasks } = await rig.create({ id: '/a', instances: 3 });
    const [first, ...others] = tasks.map(({ id }: Task) => id);
    const killed = await rig.call('POST', '/v2/tasks/delete?scale=true', { ids: [first, first] });
    expect(killed.status).toBe(200);
    const left = await rig.settled('/a');
    expect(left.instances).toBe(2);
    expect(ids(left.tasks)).toEqual(others.toSorted());
  });

  it('23. Tasks of several apps are killed by a list of their ids', async () => {
    const first = await rig.create({ id: '/a', instances: 2 });
    const second = await rig.create({ id: '/b' });
    const chosen = [first.tasks[0].id, second.tasks[0].id];
    const { status, body } = await rig.call('POST', '/v2/tasks/delete', { ids: chosen });
    expect(status).toBe(200);
    expect(ids(body.tasks)).toEqual(chosen.toSorted());
    for (const id of chosen) await rig.told('status_update_event', { taskId: id, taskStatus: 'TASK_KILLED' });
    const spared = first.tasks[1].id;
    await until('both have what they want again', 30_000, async () => {
      const now = ids([...(await tasksOf('/a')), ...(await tasksOf('/b'))]);
      return now.length === 3 && now.includes(spared) && !chosen.some((id) => now.includes(id));
    });
  });

  it('24. A task killed without scale is replaced under another id; the number stays', async () => {
    const { tasks, instances } = await rig.create({ id: '/a', instances: 2 });
    const [first, second] = tasks.map(({ id }: Task) => id);
    const { status, body } = await rig.call('DELETE', `/v2/apps/a/tasks/${first}`);
    expect([status, body.task.id]).toEqual([200, first]);
    const now = await until('another one runs', 30_000, async () => {
      const app = await rig.settled('/a');
      return ids(app.tasks).includes(first) ? undefined : app;
    });
    expect(now.instances).toBe(instances);
    expect(ids(now.tasks)).toContain(second);
  });

  it('25. A kill by host hits that host alone, and one of all hosts hits all', async () => {
    const { tasks } = await rig.create({ id: '/a', instances: 2, constraints: [['hostname', 'UNIQUE']] });
    const on = (host: string) => ids(tasks.filter((task: Task) => task.host === host));
    expect([on('agent1').length, on('agent2').length]).toEqual([1, 1]);
    const one = await rig.call('DELETE', '/v2/apps/a/tasks?host=agent1');
    expect(ids(one.body.tasks)).toEqual(on('agent1'));
    const after = await until('the one on agent1 is replaced', 30_000, async () => {
      const now = ids(await tasksOf('/a'));
      return now.length === 2 && !now.includes(on('agent1')[0] ?? '') ? now : undefined;
    });
    expect(after).toContain(on('agent2')[0]);
    await rig.settled('/a');
    const all = await rig.call('DELETE', '/v2/apps/a/tasks?host=*');
    expect(ids(all.body.tasks)).toEqual(after);
  });

  it('26. An unknown task is a 404; in a list it is left out, and what is no task id at all is refused', async () => {
    const { tasks } = await rig.create({ id: '/a' });
    const unknown = tasks[0].id.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, randomUUID());
    const one = await rig.call('DELETE', `/v2/apps/a/tasks/${unknown}`);
    expect(one).toMatchObject({ status: 404, body: { message: `Task '${unknown}' does not exist` } });
    const listed = await rig.call('POST', '/v2/tasks/delete', { ids: [unknown] });
    expect([listed.status, listed.body]).toEqual([200, { tasks: [] }]);
    const nonsense = await rig.call('POST', '/v2/tasks/delete', { ids: ['nope'] });
    expect([400, 422]).toContain(nonsense.status);
    expect(nonsense.body.message).toContain('nope');
    expect(ids(await tasksOf('/a'))).toEqual(ids(tasks));
  });

  it('27. Scale and wipe together are refused', async () => {
    const { tasks } = await rig.create({ id: '/a' });
    const message = 'You cannot use scale and wipe at the same time.';
    for (const [method, path, body] of [
      ['DELETE', '/v2/apps/a/tasks?scale=true&wipe=true', undefined],
      ['DELETE', `/v2/apps/a/tasks/${tasks[0].id}?scale=true&wipe=true`, undefined],
      ['POST', '/v2/tasks/delete?scale=true&wipe=true', { ids: ids(tasks) }],
    ] as const) {
      expect(await rig.call(method, path, body)).toMatchObject({ status: 400, body: { message } });
    }
    expect(ids(await tasksOf('/a'))).toEqual(ids(tasks));
  });

  it('28. A task has a port for each definition, out of its agent’s range, and none twice on one host', async () => {
    await rig.create({
      id: '/a',
      instances: 3,
      portDefinitions: [
        { port: 0, name: 'a' },
        { port: 0, name: 'b' },
      ],
    });
    await rig.create({ id: '/b', instances: 3, portDefinitions: [{ port: 0 }] });
    const a = await tasksOf('/a');
    const b = await tasksOf('/b');
    expect([...new Set(a.map(({ ports }) => ports.length)), ...new Set(b.map(({ ports }) => ports.length))]).toEqual([
      2, 1,
    ]);
    const places = [...a, ...b].flatMap(({ host, ports }) => ports.map((port) => ({ host, port })));
    for (const { host, port } of places) {
      const [first, last] = rig.portRange(host === 'agent1' ? 'agent1' : 'agent2');
      expect(port).toBeGreaterThanOrEqual(first);
      expect(port).toBeLessThanOrEqual(last);
    }
    expect(new Set(places.map(({ host, port }) => `${host}:${port}`)).size).toBe(9);
  });

  it('29. A task finds its ports, its host, its app with labels, and its own id in its environment', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'environment-'));
    const output = join(directory, 'env');
    try {
      const app = await rig.create({
        id: '/twenty-nine',
        cmd: `env > "$OUTPUT.part" && mv "$OUTPUT.part" "$OUTPUT"; exec sleep 1000`,
        env: { OUTPUT: output },
        labels: { tier: 'front', 'a.b-c': 'v' },
        portDefinitions: [{ port: 0, name: 'http' }],
      });
      const text = await until('the task has written its environment', 30_000, () => {
        try {
          return readFileSync(output, 'utf8');
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return undefined;
          throw error;
        }
      });
      const environment = Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s, 2)));
      const [task] = app.tasks;
      expect(environment).toMatchObject({
        PORT: `${task.ports[0]}`,
        PORT0: `${task.ports[0]}`,
        PORT_HTTP: `${task.ports[0]}`,
        HOST: task.host,
        MARATHON_APP_ID: '/twenty-nine',
        MARATHON_APP_VERSION: app.version,
        MARATHON_APP_LABEL_TIER: 'front',
        MARATHON_APP_LABEL_A_B_C: 'v',
        MESOS_TASK_ID: task.id,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('30. Required ports are the host’s own, and two apps that require one can’t share a host', async () => {
    const [, port] = rig.portRange('agent1');
    const pinned = { ...SLEEP, requirePorts: true, portDefinitions: [{ port }], constraints: ON_AGENT1 };
    const first = await rig.create({ id: '/first', ...pinned });
    expect(first.tasks).toMatchObject([{ host: 'agent1', ports: [port] }]);
    expect((await rig.call('POST', '/v2/apps', { id: '/second', ...pinned })).status).toBe(201);
    await until('the second waits for the port', 30_000, async () => {
      const { queue } = (await rig.call('GET', '/v2/queue')).body;
      const reasons = queue[0]?.processedOffersSummary.rejectSummaryLastOffers ?? [];
      return reasons.some(
        ({ reason, declined }: { reason: string; declined: number }) => reason === 'InsufficientPorts' && declined > 0,
      );
    });
    expect(await tasksOf('/second')).toEqual([]);
    await rig.call('DELETE', '/v2/apps/first');
    expect((await rig.settled('/second')).tasks).toMatchObject([{ host: 'agent1', ports: [port] }]);
  });
});
