import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMarathonActivities, type MarathonActivities } from '../../activities/marathon/activities.ts';
import { type RevisionApp, type RevisionSpec, revisionApp } from '../../domain/revision-app.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { startCellMesos } from '../mesos-rig/cell-mesos.ts';
import type { MesosUnderTest } from '../mesos-rig/mesos-under-test.ts';
import { ask, MARATHON_AGENTS, type MarathonRig, startRig, webCommand } from './marathon-rig.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(180_000);

let mesos: MesosUnderTest;
let rig: MarathonRig;
let proxy: FaultProxy;
let activities: MarathonActivities;
/** The same with clients that soon give up. Any answer may take that long on a busy machine. */
let impatient: MarathonActivities;

beforeAll(async () => {
  mesos = await startCellMesos({ agents: MARATHON_AGENTS });
  rig = await startRig(mesos);
});
afterAll(async () => {
  await rig?.stop();
  await mesos?.stop();
});
beforeEach(async () => {
  proxy = await startFaultProxy({ target: rig.url });
  activities = createMarathonActivities({ prod: { url: proxy.url, group: '/prod', timeoutMs: 30_000 } });
  impatient = createMarathonActivities({ prod: { url: proxy.url, group: '/prod', timeoutMs: 3_000 } });
});
afterEach(async () => {
  await proxy.stop();
  for (const { id } of await rig.client.listApps()) await rig.client.deleteApp(id);
  await until('nothing is left', 45_000, async () => (await rig.client.deployments()).length === 0);
});

/** Without a line of log for every failure that a test wants. */
const quietEnvironment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

/** Runs an activity as a worker would, with heartbeats counted. */
async function run<P, R>(activity: (input: P) => Promise<R>, input: P, env = quietEnvironment()) {
  let heartbeats = 0;
  env.on('heartbeat', () => {
    heartbeats += 1;
  });
  return { result: await env.run<[P], R, (input: P) => Promise<R>>(activity, input), heartbeats };
}

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}

/**
 * A revision that runs a command and no image: the agents of this test have no Docker engine, and the activities do not
 * look at what a container is made of.
 */
function revision(name: string, changes: Partial<RevisionSpec> = {}): RevisionApp {
  const { container: _image, ...app } = revisionApp({
    environment: 'prod',
    service: 'web',
    revision: name,
    bundle: 'b-1',
    image: 'unused',
    env: { COLOUR: 'blue' },
    cpus: 0.1,
    memoryMiB: 32,
    healthPath: '/',
    startSeconds: 20,
    instances: 0,
    agentAttribute: { name: 'env', value: 'prod' },
    // A busy machine may keep a server waiting for seconds.
    check: { intervalSeconds: 1, timeoutSeconds: 20 },
    command: webCommand(),
    stopSeconds: 1,
    ...changes,
  });
  return app as RevisionApp;
}

const appId = '/prod/web/r1';
const scale = (instances: number, more: { waitHealthy?: boolean; deadlineSeconds?: number; appId?: string } = {}) => ({
  environment: 'prod',
  appId,
  instances,
  waitHealthy: true,
  deadlineSeconds: 60,
  ...more,
});

describe('the way of a revision', () => {
  it('is made, scaled, watched and removed, each step as often as one likes', async () => {
    const ensure = { environment: 'prod', app: revision('r1') };
    expect((await run(activities.ensureRevision, ensure)).result).toEqual({ appId });
    expect((await run(activities.ensureRevision, ensure)).result).toEqual({ appId });

    const two = await run(activities.scaleRevision, scale(2));
    expect(two.result).toMatchObject({
      exists: true,
      revision: 'r1',
      instances: 2,
      running: 2,
      healthy: 2,
      unhealthy: 0,
    });
    expect(two.heartbeats).toBeGreaterThan(0);
    for (const task of two.result.tasks) expect(task).toMatchObject({ state: 'TASK_RUNNING', healthy: true });
    const puts = () => proxy.requests.filter(({ method }) => method === 'PUT').length;
    const before = puts();
    await run(activities.scaleRevision, scale(2));
    expect(puts()).toBe(before);

    const down = await run(activities.scaleRevision, scale(1));
    expect(down.result.tasks).toHaveLength(1);
    expect((await run(activities.scaleRevision, scale(0))).result.tasks).toEqual([]);

    await run(activities.ensureRevision, { environment: 'prod', app: revision('r10') });
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r2') });
    const listed = (await run(activities.listRevisions, { environment: 'prod', service: 'web' })).result;
    expect(listed.map((status) => [status.revision, status.bundle])).toEqual([
      ['r1', 'b-1'],
      ['r2', 'b-1'],
      ['r10', 'b-1'],
    ]);
    expect((await run(activities.listRevisions, { environment: 'prod', service: 'we' })).result).toEqual([]);

    await run(activities.deleteRevision, { environment: 'prod', appId });
    await run(activities.deleteRevision, { environment: 'prod', appId });
    expect((await run(activities.observeRevision, { environment: 'prod', appId })).result).toMatchObject({
      exists: false,
      instances: 0,
      tasks: [],
    });
  });

  it('is removed with its last instance gone', async () => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1', { instances: 2 }) });
    const { tasks } = (await run(activities.scaleRevision, scale(2))).result;
    await run(activities.deleteRevision, { environment: 'prod', appId });
    expect(await rig.client.listAllTasks()).toEqual([]);
    for (const { ports } of tasks) expect(await ask({ ports })).toBeUndefined();
  });

  it('is refused where an app of that name runs something else', async () => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1') });
    const other = revision('r1', { env: { COLOUR: 'red' }, cpus: 0.2 });
    const failure = await failureOf(run(activities.ensureRevision, { environment: 'prod', app: other }));
    expect(failure).toMatchObject({ type: 'SystemRefused', nonRetryable: true });
    expect(failure.message).toContain('cpus is 0.1, wanted 0.2');
    expect(failure.message).toContain('env.COLOUR');
    expect(failure.message).not.toContain('red');
    expect((await rig.client.getApp(appId))?.env['COLOUR']).toBe('blue');
  });

  it('is refused outside of its environment, and in one that is not known', async () => {
    const elsewhere = { environment: 'prod', appId: '/production/web/r1' };
    expect(await failureOf(run(activities.observeRevision, elsewhere))).toMatchObject({ type: 'SystemRefused' });
    const unknown = { environment: 'moon', appId: '/moon/web/r1' };
    expect(await failureOf(run(activities.observeRevision, unknown))).toMatchObject({ type: 'UnknownEnvironment' });
    expect(await failureOf(run(activities.scaleRevision, scale(1)))).toMatchObject({
      type: 'SystemRefused',
      message: expect.stringContaining('does not exist'),
    });
    expect(proxy.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});

describe('a revision that does not come up', () => {
  it('finds no agent: CapacityExhausted, and says what the offers lacked', async () => {
    const nowhere = revision('r1', { agentAttribute: { name: 'env', value: 'mars' } });
    await run(activities.ensureRevision, { environment: 'prod', app: nowhere });
    await rig.client.scaleApp(appId, 1);
    await until('the offers of both agents were looked at', 45_000, async () => {
      const [item] = await rig.client.queue();
      return (item?.processedOffersSummary?.rejectSummaryLastOffers ?? []).some(
        ({ reason, processed }) => reason === 'UnfulfilledConstraint' && processed === 2,
      );
    });
    const failure = await failureOf(run(activities.scaleRevision, scale(1, { deadlineSeconds: 2 })));
    expect(failure).toMatchObject({ type: 'CapacityExhausted', nonRetryable: true });
    expect(failure.message).toContain('UnfulfilledConstraint 2 of 2');
    expect(failure.details?.[0]).toMatchObject({ appId, wanted: 1, running: 0, queued: { count: 1 } });
    // The start that hangs is overridden: without, it would lock its own undoing for ever.
    expect((await run(activities.scaleRevision, scale(0))).result.instances).toBe(0);
  });

  it('crashes: RevisionUnhealthy, and says how', async () => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1', { command: 'exit 7' }) });
    await rig.client.scaleApp(appId, 1);
    await until('it has crashed', 45_000, async () => (await rig.client.getApp(appId))?.lastTaskFailure);
    const failure = await failureOf(run(activities.scaleRevision, scale(1, { deadlineSeconds: 2 })));
    expect(failure).toMatchObject({ type: 'RevisionUnhealthy', nonRetryable: true });
    expect(failure.message).toContain('0 of 1 instances healthy after 2 s');
    expect(failure.details?.[0]).toMatchObject({
      lastFailure: { state: 'TASK_FAILED', message: expect.stringContaining('7') },
    });
  });

  it('never answers its check: RevisionUnhealthy', async () => {
    const deaf = revision('r1', { command: webCommand({ refusals: Number.MAX_SAFE_INTEGER }) });
    await run(activities.ensureRevision, { environment: 'prod', app: deaf });
    await rig.client.scaleApp(appId, 1);
    await until('it runs', 45_000, async () => (await rig.client.getApp(appId))?.tasksRunning === 1);
    const failure = await failureOf(run(activities.scaleRevision, scale(1, { deadlineSeconds: 2 })));
    expect(failure).toMatchObject({ type: 'RevisionUnhealthy' });
    expect(failure.details?.[0]).toMatchObject({ running: 1, healthy: 0 });
  });

  it('is given up when the workflow is cancelled', async () => {
    const nowhere = revision('r1', { agentAttribute: { name: 'env', value: 'mars' } });
    await run(activities.ensureRevision, { environment: 'prod', app: nowhere });
    const env = quietEnvironment();
    env.on('heartbeat', (details: unknown) => {
      if (details !== undefined) env.cancel('CANCELLED');
    });
    await expect(run(activities.scaleRevision, scale(1), env)).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('a Marathon that fails', () => {
  const created = () => proxy.requests.filter(({ method, path }) => method === 'POST' && path === '/v2/apps').length;

  it.each(['503-after', 'drop-after', 'hang-after'] as const)('made the app but did not say so (%s)', async (kind) => {
    const fault = proxy.arm({ kind, method: 'POST', times: 1 });
    await run(impatient.ensureRevision, { environment: 'prod', app: revision('r1') });
    expect(fault.hits).toBe(1);
    expect(created()).toBe(1);
  });

  it.each(['503-before', 'drop', 'hang'] as const)('did not make the app (%s): it is tried again', async (kind) => {
    proxy.arm({ kind, method: 'POST', times: 1 });
    const failure = await failureOf(run(impatient.ensureRevision, { environment: 'prod', app: revision('r1') }));
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1') });
  });

  it.each(['503-after', '503-before', 'drop-after', 'hang-after'] as const)(
    'scales to the very number all the same (%s)',
    async (kind) => {
      await run(activities.ensureRevision, { environment: 'prod', app: revision('r1') });
      const fault = proxy.arm({ kind, method: 'PUT', times: 2 });
      const { result } = await run(impatient.scaleRevision, scale(2));
      expect(result.tasks).toHaveLength(2);
      expect(fault.hits).toBeGreaterThan(0);
    },
  );

  it('answers badly while one waits', async () => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1') });
    proxy.arm({ kind: '503-before', method: 'GET', path: /r1/, times: 3 });
    expect((await run(activities.scaleRevision, scale(1))).result.healthy).toBe(1);
  });

  it.each(['503-after', 'drop-after'] as const)('deletes all the same (%s)', async (kind) => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1', { instances: 1 }) });
    proxy.arm({ kind, method: 'DELETE', times: 1 });
    await run(activities.deleteRevision, { environment: 'prod', appId });
    expect(await rig.client.getApp(appId)).toBeUndefined();
  });

  it('is down for the whole time: says so, and may be tried again', async () => {
    proxy.arm({ kind: 'drop' });
    const failure = await failureOf(run(activities.scaleRevision, scale(1, { deadlineSeconds: 1 })));
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(failure.message).toContain(`Marathon ${proxy.url}: GET /v2/apps/prod/web/r1`);
  });

  it('waits for a deployment that is somebody else’s to end', async () => {
    await run(activities.ensureRevision, { environment: 'prod', app: revision('r1') });
    // A change of the whole group, which nobody can place: no lane made it, no lane may cancel it.
    const impossible = { cmd: 'exec sleep 1000', cpus: 100 };
    const answer = await fetch(`${rig.url}/v2/groups//prod`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        groups: [
          {
            id: 'web',
            apps: [
              { ...revision('r1'), id: 'r1', instances: 1 },
              { id: 'x', ...impossible },
            ],
          },
        ],
      }),
    });
    expect(answer.status).toBe(200);
    const failure = await failureOf(run(activities.scaleRevision, scale(2, { deadlineSeconds: 2 })));
    expect(failure).toMatchObject({ type: 'SystemUnavailable', nonRetryable: false });
    expect(failure.message).toContain('locked by deployment');
    expect(await rig.client.deployments()).toHaveLength(1);
  });
});
