/** Whether the way back is open: what real registries, a real Consul and both kinds of Mesos lack. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createConsulActivities } from '../../activities/consul/activities.ts';
import { freeCapacityReader } from '../../activities/mesos/free-capacity.ts';
import {
  createReadinessActivities,
  type ReadinessInput,
  type ReadinessSources,
} from '../../activities/readiness/activities.ts';
import { missingPartsReader } from '../../activities/registry/missing-parts.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { scalar, TestFramework } from './mesos-framework.ts';
import { until } from './mesos-until.ts';
import { type PushedImage, pushImage, pushIndex, type RegistryRig, startRegistryRig } from './registry-rig.ts';
import { openTrafficRig, runActivity, type TrafficRig } from './traffic-rig.ts';

jest.setTimeout(120_000);

const WHERE = { environment: 'prod', service: 'sample' };
const NEEDS: ReadinessInput = {
  ...WHERE,
  image: { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` },
  configVersion: 0,
  instances: 0,
  cpus: 1,
  memoryMiB: 256,
  agentAttribute: { name: 'env', value: 'prod' },
};

/** All that is not under test is ready. */
const activitiesOn = (sources: Partial<ReadinessSources>) =>
  createReadinessActivities({
    missingParts: async () => [],
    resolveConfig: async () => ({ version: 1 }),
    freeCapacity: async () => [],
    ...sources,
  });

describe('the image in two registries', () => {
  let rig: RegistryRig;
  let activities: ReturnType<typeof createReadinessActivities>;
  beforeAll(async () => {
    rig = await startRegistryRig();
    activities = activitiesOn({ missingParts: missingPartsReader({ replicas: rig.replicas }) });
  });
  afterAll(() => rig?.stop());

  const gaps = (digest: string) =>
    runActivity(activities.checkRollbackReadiness, { ...NEEDS, image: { repository: 'sample', digest } });
  const digestsOf = ({ manifest }: PushedImage) => {
    const { config, layers } = JSON.parse(manifest.toString()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    return [config.digest, ...layers.map(({ digest }) => digest)];
  };
  /** Takes the bytes of a blob out of the storage that both registries share. */
  const lose = (digest: string) => {
    const blobs = directoryNamed(rig.directory, 'blobs');
    const hex = digest.slice('sha256:'.length);
    const data = join(blobs, 'sha256', hex.slice(0, 2), hex, 'data');
    expect(existsSync(data)).toBe(true);
    rmSync(data);
  };

  it('is ready when manifest and blobs are there, also of an index', async () => {
    const image = await pushImage(rig.address, 'sample', 'whole');
    expect(await gaps(image.digest)).toEqual([]);
    expect(await gaps(await pushIndex(rig.address, 'sample', 'index', [image]))).toEqual([]);
  });

  it('is not when a layer was lost, although the manifest still shows', async () => {
    const image = await pushImage(rig.address, 'sample', 'broken');
    const [, layer = ''] = digestsOf(image);
    lose(layer);
    expect(await rig.client.headManifest('sample', image.digest)).toBeDefined();
    const found = await gaps(image.digest);
    expect(found).toHaveLength(rig.replicas.length);
    for (const address of rig.replicas) {
      expect(found).toContainEqual({
        kind: 'image',
        sentence: `registry ${address} lacks ${layer} of sample@${image.digest}; push that image again`,
      });
    }
  });

  it('is not when the manifest was deleted', async () => {
    const { digest } = await pushImage(rig.address, 'sample', 'deleted');
    await rig.client.deleteManifest('sample', digest);
    expect((await gaps(digest)).map(({ kind }) => kind)).toEqual(rig.replicas.map(() => 'image'));
  });

  it('is waited for until it is there again, and at most until the deadline', async () => {
    const image = await pushImage(rig.address, 'sample', 'again');
    const manifest = await rig.client.getManifest('sample', image.digest);
    await rig.client.deleteManifest('sample', image.digest);
    const input = { ...NEEDS, image: { repository: 'sample', digest: image.digest } };
    await expect(
      runActivity(activities.awaitRollbackReadiness, { ...input, deadlineSeconds: 0 }),
    ).rejects.toMatchObject({ type: 'NotReadyToRollBack', nonRetryable: true });
    const waiting = runActivity(activities.awaitRollbackReadiness, { ...input, deadlineSeconds: 50 });
    if (manifest === undefined) throw new Error('it was just pushed');
    await rig.client.putManifest('sample', 'again', manifest);
    await waiting;
  });

  it('is not known while a registry is away', async () => {
    const away = activitiesOn({ missingParts: missingPartsReader({ replicas: ['127.0.0.1:1'] }) });
    await expect(runActivity(away.checkRollbackReadiness, NEEDS)).rejects.toMatchObject({
      type: 'SystemUnavailable',
    });
  });
});

describe('the configuration in Consul', () => {
  let rig: TrafficRig;
  beforeAll(async () => {
    rig = await openTrafficRig(['consul']);
    await rig.consul.process.start();
  }, 120_000);
  afterAll(() => rig?.stop(), 60_000);

  it('is there until somebody deletes it', async () => {
    const consul = createConsulActivities({ url: rig.consul.url });
    const { checkRollbackReadiness } = activitiesOn({ resolveConfig: consul.resolveConfig });
    const gaps = (configVersion: number) => runActivity(checkRollbackReadiness, { ...NEEDS, configVersion });
    await runActivity(consul.publishConfig, { ...WHERE, version: 3, value: 'colour: blue' });
    expect(await gaps(3)).toEqual([]);
    await rig.client.kvDelete('cfg/prod/sample/v/3');
    expect((await gaps(3)).map(({ kind }) => kind)).toEqual(['config']);
    expect(await gaps(0)).toEqual([]);
  });
});

const AGENTS = [
  { name: 'prod-1', attributes: 'env:prod', cpus: 2, mem: 1024, reserved: 'cpus(ci):4;mem(ci):512' },
  { name: 'prod-2', attributes: 'env:prod', cpus: 1, mem: 1024 },
  { name: 'fat-1', attributes: 'env:fat', cpus: 8, mem: 8192 },
];

describeOnEachMesos('room on the agents', { agents: AGENTS }, (under) => {
  const frameworks: TestFramework[] = [];
  afterEach(async () => {
    for (const framework of frameworks.splice(0)) {
      await framework.client.teardown();
      await framework.ended();
    }
  });
  const kinds = async (instances: number, memoryMiB = 256) => {
    const { checkRollbackReadiness } = activitiesOn({
      freeCapacity: freeCapacityReader({ master: under.mesos.masterUrl }),
    });
    return (await runActivity(checkRollbackReadiness, { ...NEEDS, instances, memoryMiB })).map(({ kind }) => kind);
  };

  under.it('counts what nobody reserved on the agents of the environment, each instance on one', async () => {
    expect(await kinds(3)).toEqual([]);
    expect(await kinds(4)).toEqual(['capacity']);
    expect(await kinds(2, 1024)).toEqual([]);
    expect(await kinds(3, 1024)).toEqual(['capacity']);
  });

  under.it('is less by what runs there, and back when that has ended', async () => {
    const framework = await new TestFramework(under.mesos.masterUrl).connected();
    frameworks.push(framework);
    const id = `busy-${randomBytes(4).toString('hex')}`;
    await framework.launch('prod-1', {
      task_id: { value: id },
      command: { shell: true, value: 'sleep 1000' },
      resources: [scalar('cpus', 1.5), scalar('mem', 64)],
    });
    await framework.state(id, 'TASK_RUNNING');
    expect(await kinds(1)).toEqual([]);
    expect(await kinds(2)).toEqual(['capacity']);
    await framework.client.teardown();
    await framework.ended();
    frameworks.splice(0);
    await until('the room is free again', 45_000, async () => (await kinds(3)).length === 0);
  });
});

/** The first directory of this name below another, depth first. */
function directoryNamed(root: string, name: string): string {
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory() && entry.name === name) return join(entry.parentPath, entry.name);
  }
  throw new Error(`there is no ${name} below ${root}`);
}
