import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMarathonActivities, type MarathonActivities } from '../../activities/marathon/activities.ts';
import { revisionApp } from '../../domain/revision-app.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { ask, MARATHON_AGENTS, type MarathonRig, startRig } from './marathon-rig.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';

jest.setTimeout(120_000);

const IMAGE = 'slipway-marathon-probe:1';
const appId = '/prod/probe/r1';

let engine: TestEngine;

beforeAll(async () => {
  engine = await testEngine();
  // The same program with what to do as its own command, as the image of a service has it.
  const [repo = '', tag = ''] = IMAGE.split(':');
  const container = await engine.docker.createContainer({ Image: PROBE_IMAGE, Cmd: ['serve'] });
  await container.commit({ repo, tag });
  await container.remove();
});
afterAll(() => engine?.stop());

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
      dockerParameters: [{ key: 'label', value: 'test.revision=r1' }],
      // The executor of the real one does not look after health, so there Marathon does it itself.
      check: { protocol: under.kind === 'real' ? 'HTTP' : 'MESOS_HTTP', intervalSeconds: 1, timeoutSeconds: 1 },
      stopSeconds: 2,
    });
    await run(activities.ensureRevision, { environment: 'prod', app });
    const scale = { environment: 'prod', appId, waitHealthy: true, deadlineSeconds: 60 };
    const two = await run(activities.scaleRevision, { ...scale, instances: 2 });
    expect(two).toMatchObject({ running: 2, healthy: 2, image: IMAGE });
    for (const task of two.tasks) expect(await ask(task)).toBe(200);

    const mine = () => engine.docker.listContainers({ filters: { label: ['test.revision=r1'] } });
    const [container] = await mine();
    const { Config, HostConfig } = await engine.docker.getContainer(container?.Id ?? '').inspect();
    expect(HostConfig.NetworkMode).toBe('host');
    expect(Config.Env).toEqual(
      expect.arrayContaining(['COLOUR=blue', 'SLIPWAY_REVISION=r1', `MARATHON_APP_ID=${appId}`]),
    );

    expect((await run(activities.scaleRevision, { ...scale, instances: 1 })).tasks).toHaveLength(1);
    expect(await mine()).toHaveLength(1);
    await run(activities.deleteRevision, { environment: 'prod', appId });
    expect(await mine()).toEqual([]);
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
    const wanted = { environment: 'prod', appId: app.id, instances: 1, waitHealthy: true, deadlineSeconds: 5 };
    await expect(run(activities.scaleRevision, wanted)).rejects.toMatchObject({
      type: 'RevisionUnhealthy',
      message: expect.stringContaining('TASK_FAILED'),
    });
    await run(activities.deleteRevision, { environment: 'prod', appId: app.id });
  });
});
