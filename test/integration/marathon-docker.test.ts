import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMarathonActivities, type MarathonActivities } from '../../activities/marathon/activities.ts';
import { revisionApp } from '../../domain/revision-app.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { ask, MARATHON_AGENTS, type MarathonRig, settled, startRig } from './marathon-rig.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(240_000);

const IMAGE = 'slipway-marathon-probe:1';
const appId = '/prod/probe/r1';

let engine: TestEngine;

beforeAll(async () => {
  engine = await testEngine();
  // The same program with what to do as its own command, as the image of a service has it.
  const [repo = '', tag = ''] = IMAGE.split(':');
  const container = await engine.docker.createContainer({ Image: PROBE_IMAGE, Cmd: ['serve'] });
  await container.putArchive(shell(), { path: '/' });
  await container.commit({ repo, tag });
  await container.remove();
});
afterAll(() => engine?.stop());

/** An archive in which the probe is the shell. */
function shell(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-shell-'));
  try {
    mkdirSync(join(directory, 'bin'));
    symlinkSync('/probe', join(directory, 'bin/sh'));
    return execFileSync('tar', ['-c', '-C', directory, 'bin']);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const run = <P, R>(activity: (input: P) => Promise<R>, input: P) =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<[P], R, (input: P) => Promise<R>>(
    activity,
    input,
  );

const setup = async () => ({ agents: MARATHON_AGENTS, dockerSocket: engine.socketPath });

describeOnEachMesos('a revision in Docker containers', setup, (under) => {
  let rig: MarathonRig;
  let activities: MarathonActivities;

  beforeAll(async () => {
    rig = await startRig(under.mesos);
    activities = createMarathonActivities({ prod: { url: rig.url, group: '/prod' } });
  });
  afterAll(() => rig?.stop());

  under.it('comes up healthy with its settings, moves by count, and leaves no container', async () => {
    const app = revisionApp({
      environment: 'prod',
      service: 'probe',
      revision: 'r1',
      bundle: 'b-1',
      image: IMAGE,
      env: { COLOUR: 'blue' },
      cpus: 0.1,
      memoryMiB: 16,
      healthPath: '/healthz',
      startSeconds: 20,
      instances: 0,
      agentAttribute: { name: 'env', value: 'prod' },
      dockerParameters: [
        { key: 'label', value: 'test.revision=r1' },
        { key: 'add-host', value: 'db.internal:127.0.0.9' },
        { key: 'log-driver', value: 'local' },
        { key: 'log-opt', value: 'max-size=1m' },
      ],
      // The executor of the real one does not look after health, so there Marathon does it itself.
      check: { protocol: under.kind === 'real' ? 'HTTP' : 'MESOS_HTTP', intervalSeconds: 1, timeoutSeconds: 20 },
      stopSeconds: 2,
    });
    await run(activities.ensureRevision, { environment: 'prod', app });
    const scale = { environment: 'prod', appId, waitHealthy: true, deadlineSeconds: 120 };
    const two = await run(activities.scaleRevision, { ...scale, instances: 2 });
    expect(two).toMatchObject({ running: 2, healthy: 2, image: IMAGE });
    for (const task of two.tasks) expect(await ask(task)).toBe(200);

    const mine = () => engine.docker.listContainers({ filters: { label: ['test.revision=r1'] } });
    const [container] = await mine();
    const { Config, HostConfig } = await engine.docker.getContainer(container?.Id ?? '').inspect();
    expect(HostConfig).toMatchObject({
      NetworkMode: 'host',
      ExtraHosts: ['db.internal:127.0.0.9'],
      LogConfig: { Type: 'local', Config: { 'max-size': '1m' } },
    });
    expect(Config.Env).toEqual(
      expect.arrayContaining(['COLOUR=blue', 'SLIPWAY_REVISION=r1', `MARATHON_APP_ID=${appId}`]),
    );

    expect((await run(activities.scaleRevision, { ...scale, instances: 1 })).tasks).toHaveLength(1);
    expect(await mine()).toHaveLength(1);
    await run(activities.deleteRevision, { environment: 'prod', appId });
    expect(await mine()).toEqual([]);
  });

  under.it('is healthy by a command inside its container, or by a connection', async () => {
    const checked = (id: string, check: object) =>
      rig.client.createApp({
        id,
        cpus: 0.1,
        mem: 16,
        container: { type: 'DOCKER', docker: { image: IMAGE } },
        portDefinitions: [{ port: 0, name: 'http' }],
        healthChecks: [{ gracePeriodSeconds: 20, intervalSeconds: 1, timeoutSeconds: 20, delaySeconds: 0, ...check }],
      });
    const byFile = (value: string) => ({ protocol: 'COMMAND', command: { value } });
    await checked('/checked/connection', { protocol: 'MESOS_TCP', portIndex: 0 });
    await checked('/checked/file', byFile('/probe'));
    await settled(rig.client, '/checked/connection', 1);
    await settled(rig.client, '/checked/file', 1);

    await checked('/checked/none', { ...byFile('/none'), gracePeriodSeconds: 0, maxConsecutiveFailures: 1 });
    const red = await until('it was killed for its check', 60_000, async () => {
      const app = await rig.client.getApp('/checked/none');
      return app?.lastTaskFailure === undefined ? undefined : app;
    });
    expect(red.lastTaskFailure).toMatchObject({ state: 'TASK_KILLED', message: expect.stringContaining('check') });
    expect(red.tasksHealthy).toBe(0);
    for (const id of ['connection', 'file', 'none']) await rig.client.deleteApp(`/checked/${id}`);
    await until('all are gone', 60_000, async () => (await rig.client.deployments()).length === 0);
  });

  under.it('says why an image does not come', async () => {
    const app = revisionApp({
      environment: 'prod',
      service: 'probe',
      revision: 'r2',
      bundle: 'b-1',
      image: '127.0.0.1:1/none@sha256:0000000000000000000000000000000000000000000000000000000000000000',
      env: {},
      cpus: 0.1,
      memoryMiB: 16,
      healthPath: '/',
      startSeconds: 5,
      instances: 0,
    });
    await run(activities.ensureRevision, { environment: 'prod', app });
    await rig.client.scaleApp(app.id, 1);
    await until('it has failed', 60_000, async () => (await rig.client.getApp(app.id))?.lastTaskFailure);
    const wanted = { environment: 'prod', appId: app.id, instances: 1, waitHealthy: true, deadlineSeconds: 2 };
    await expect(run(activities.scaleRevision, wanted)).rejects.toMatchObject({
      type: 'RevisionUnhealthy',
      message: expect.stringContaining('TASK_FAILED'),
    });
    await run(activities.deleteRevision, { environment: 'prod', appId: app.id });
  });
});
