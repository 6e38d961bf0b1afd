/** The registry activities on two real registries. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createRegistryActivities } from '../../activities/registry/activities.ts';
import { createMaintenanceActivities } from '../../activities/registry/maintenance.ts';
import { until } from '../../local/platform/until.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { pushImage, pushIndex, type RegistryRig, startRegistryRig } from './registry-rig.ts';

jest.setTimeout(60_000);

let rig: RegistryRig;
let proxy: FaultProxy;
let activities: ReturnType<typeof createRegistryActivities>;

beforeAll(async () => {
  rig = await startRegistryRig();
  proxy = await startFaultProxy({ target: `http://${rig.address}` });
  activities = createRegistryActivities({ address: new URL(proxy.url).host, replicas: rig.replicas });
});

afterAll(async () => {
  await proxy?.stop();
  await rig?.stop();
});

/** Runs one activity as a worker does. */
const run = <T>(activity: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity);
const typeOf = (result: Promise<unknown>) =>
  result.then(
    () => 'no failure',
    (error: { type?: string; nonRetryable?: boolean }) => `${error.type}${error.nonRetryable ? '' : ', retryable'}`,
  );

describe('promoteImage', () => {
  it('gives the same bytes another name in three requests, and does nothing when asked again', async () => {
    const { digest, manifest } = await pushImage(rig.address, 'promote', 'build-1');
    const image = { repository: 'promote', digest };
    const before = proxy.requests.length;
    expect(await run(() => activities.promoteImage({ image, tag: 'v1.0.0' }))).toEqual({ digest, changed: true });
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['HEAD', 'GET', 'PUT']);
    expect((await rig.client.getManifest('promote', 'v1.0.0'))?.bytes).toEqual(manifest);

    const again = proxy.requests.length;
    expect(await run(() => activities.promoteImage({ image, tag: 'v1.0.0' }))).toEqual({ digest, changed: false });
    expect(proxy.requests.slice(again).map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('keeps an index as it is', async () => {
    const child = await pushImage(rig.address, 'promote', 'child');
    const digest = await pushIndex(rig.address, 'promote', 'build-index', [child]);
    await run(() => activities.promoteImage({ image: { repository: 'promote', digest }, tag: 'v1.1.0' }));
    const promoted = await rig.client.headManifest('promote', 'v1.1.0');
    expect([promoted?.digest, promoted?.mediaType]).toEqual([digest, 'application/vnd.oci.image.index.v1+json']);
  });

  it('never moves a tag', async () => {
    const first = await pushImage(rig.address, 'moved', 'build-1');
    const second = await pushImage(rig.address, 'moved', 'build-2');
    await run(() => activities.promoteImage({ image: { repository: 'moved', digest: first.digest }, tag: 'v1.0.0' }));
    const conflict = run(() =>
      activities.promoteImage({ image: { repository: 'moved', digest: second.digest }, tag: 'v1.0.0' }),
    );
    expect(await typeOf(conflict)).toBe('TagConflict');
    expect((await rig.client.headManifest('moved', 'v1.0.0'))?.digest).toBe(first.digest);
  });

  it('says that an image is missing', async () => {
    const image = { repository: 'promote', digest: `sha256:${'0'.repeat(64)}` };
    expect(await typeOf(run(() => activities.promoteImage({ image, tag: 'v9.0.0' })))).toBe('ImageMissing');
    expect(await run(() => activities.imageExists({ image }))).toBe(false);
  });

  it('reads again while the registry answers 500, and can be repeated when it answered 500 but did it', async () => {
    const { digest } = await pushImage(rig.address, 'faulty', 'build-1');
    const image = { repository: 'faulty', digest };
    proxy.arm({ kind: '503-before', status: 500, method: 'HEAD', times: 2 });
    proxy.arm({ kind: '503-before', status: 500, method: 'GET', times: 2 });
    proxy.arm({ kind: '503-after', status: 500, method: 'PUT', times: 1 });
    const promote = () => run(() => activities.promoteImage({ image, tag: 'v1.0.0' }));
    expect(await typeOf(promote())).toBe('SystemUnavailable, retryable');
    expect(await promote()).toEqual({ digest, changed: false });
    expect(await run(() => activities.imageExists({ image }))).toBe(true);
  });

  it('does not call it done while a replica says something else', async () => {
    const { digest } = await pushImage(rig.address, 'stale', 'build-1');
    const other = await startFaultProxy({ target: `http://${rig.replicas[0]}` });
    // A replica that does not see the tag, as one on a storage of its own.
    other.arm({ kind: '503-before', status: 404, method: 'HEAD', path: /manifests\/v1\.0\.0$/ });
    const strict = createRegistryActivities({
      address: rig.address,
      replicas: [new URL(other.url).host],
      agreeWithinMs: 300,
    });
    const promote = () => run(() => strict.promoteImage({ image: { repository: 'stale', digest }, tag: 'v1.0.0' }));
    expect(await typeOf(promote())).toBe('NotVerified, retryable');
    other.disarmAll();
    expect(await promote()).toEqual({ digest, changed: false });
    await other.stop();
  });
});

describe('observing and deleting', () => {
  it('tells every tag with what it points to', async () => {
    const first = await pushImage(rig.address, 'seen', 'build-1', { created: '2026-02-03T04:05:06Z', bytes: 5000 });
    await run(() => activities.promoteImage({ image: { repository: 'seen', digest: first.digest }, tag: 'v1.0.0' }));
    const index = await pushIndex(rig.address, 'seen', 'all', [first]);
    const seen = await run(() => activities.observeRepository({ repository: 'seen' }));
    expect(seen.tags).toEqual([
      { tag: 'all', digest: index },
      { tag: 'build-1', digest: first.digest },
      { tag: 'v1.0.0', digest: first.digest },
    ]);
    expect(seen.digests).toContainEqual({
      digest: first.digest,
      createdAt: '2026-02-03T04:05:06.000Z',
      bytes: expect.any(Number),
      children: [],
    });
    expect(seen.digests.find((one) => one.digest === first.digest)?.bytes).toBeGreaterThan(5000);
    expect(seen.digests.find((one) => one.digest === index)?.children).toEqual([first.digest]);
    expect(await run(() => activities.listReleaseTags({ repository: 'seen' }))).toEqual([
      expect.objectContaining({ tag: 'v1.0.0', digest: first.digest, createdAt: '2026-02-03T04:05:06.000Z' }),
    ]);
    expect(await run(() => activities.observeRepository({ repository: 'nobody/pushed' }))).toMatchObject({ tags: [] });
  });

  it('spares a digest that got another tag since it was planned, and can be repeated', async () => {
    const going = await pushImage(rig.address, 'pruned', 'v1.0.0');
    const tagged = await pushImage(rig.address, 'pruned', 'v1.0.1');
    const staying = await pushImage(rig.address, 'pruned', 'v1.0.2');
    const deletions = [
      { digest: going.digest, tags: ['v1.0.0'] },
      { digest: tagged.digest, tags: ['v1.0.1'] },
    ];
    await run(() =>
      activities.promoteImage({ image: { repository: 'pruned', digest: tagged.digest }, tag: 'customer' }),
    );
    const gone = {
      deleted: [deletions[0]],
      spared: [{ digest: tagged.digest, because: expect.stringContaining('customer') }],
    };
    for (const _ of ['once', 'again']) {
      expect(await run(() => activities.deleteDigests({ repository: 'pruned', deletions }))).toEqual(gone);
    }
    const left = await run(() => activities.observeRepository({ repository: 'pruned' }));
    expect(left.tags.map(({ tag }) => tag)).toEqual(['customer', 'v1.0.1', 'v1.0.2']);
    expect(left.tags.find(({ tag }) => tag === 'v1.0.2')?.digest).toBe(staying.digest);
  });

  it('counts the bytes that only the going images name', async () => {
    const small = await pushImage(rig.address, 'sized', 'v1.0.0', { bytes: 1000, created: '2026-03-01T00:00:00Z' });
    await pushImage(rig.address, 'sized', 'v1.0.1', { bytes: 9000, created: '2026-03-01T00:00:00Z' });
    const repositories = [{ repository: 'sized', digests: [small.digest] }];
    // The configuration is the same in both images, so only the layer would go.
    expect(await run(() => activities.exclusiveBytes({ repositories }))).toBe(1000);
  });
});

describe('maintenance', () => {
  const layerBytes = 300_000;

  it('collects what was deleted while the registry is read-only, and makes it read-write again', async () => {
    const maintenance = createMaintenanceActivities({
      commands: rig.maintenance,
      replicas: rig.replicas,
      storage: rig.store,
    });
    const image = await pushImage(rig.address, 'collected', 'v1.0.0', { bytes: layerBytes });
    const kept = await pushImage(rig.address, 'collected', 'v1.0.1');
    const deletions = [{ digest: image.digest, tags: ['v1.0.0'] }];
    await run(() => activities.deleteDigests({ repository: 'collected', deletions }));

    expect(await typeOf(run(() => maintenance.collectRegistryGarbage({ timeoutSeconds: 30 })))).toBe('SystemRefused');
    await run(() => maintenance.makeRegistryReadOnly());
    const before = await run(() => maintenance.measureRegistryStorage());
    const promotion = run(() =>
      activities.promoteImage({ image: { repository: 'collected', digest: kept.digest }, tag: 'v1.0.2' }),
    );
    await expect(promotion).rejects.toThrow('read-only');
    expect(await typeOf(promotion)).toBe('SystemUnavailable, retryable');
    await run(() => maintenance.collectRegistryGarbage({ timeoutSeconds: 30 }));
    const after = await run(() => maintenance.measureRegistryStorage());
    expect((before.bytes ?? 0) - (after.bytes ?? 0)).toBeGreaterThanOrEqual(layerBytes);

    await run(() => maintenance.makeRegistryReadWrite({ onlyIfNeeded: false }));
    await pushImage(rig.address, 'collected', 'v1.0.3');
    expect((await rig.client.headManifest('collected', 'v1.0.1'))?.digest).toBe(kept.digest);
  });

  it('leaves a registry alone that takes pushes already', async () => {
    const maintenance = createMaintenanceActivities({
      commands: { ...rig.maintenance, readWrite: ['false'] },
      replicas: rig.replicas,
    });
    await run(() => maintenance.makeRegistryReadWrite({ onlyIfNeeded: true }));
    await expect(run(() => maintenance.makeRegistryReadWrite({ onlyIfNeeded: false }))).rejects.toThrow('exit code 1');
    expect(await run(() => maintenance.measureRegistryStorage())).toEqual({});
  });

  it('does not believe a command: the registry must show its mode', async () => {
    const maintenance = createMaintenanceActivities({
      commands: { ...rig.maintenance, readOnly: ['true'] },
      replicas: rig.replicas,
      modeTimeoutMs: 4_000,
    });
    await expect(run(() => maintenance.makeRegistryReadOnly())).rejects.toThrow('it still takes pushes');
  });

  it('stops a command at its deadline, with what it said and with what it started', async () => {
    const script = 'sleep 600 & echo "child $!"; wait';
    const maintenance = createMaintenanceActivities({
      commands: { ...rig.maintenance, readOnly: ['sh', '-c', script] },
      replicas: rig.replicas,
      modeTimeoutMs: 4_000,
    });
    const said = await run(() => maintenance.makeRegistryReadOnly()).catch((error: Error) => error.message);
    const child = /stopped after 4000 ms: child (\d+)/.exec(said ?? '')?.[1];
    expect(child).toBeDefined();
    await until(`the end of process ${child}`, () => expect(existsSync(`/proc/${child}`)).toBe(false), {
      withinMs: 30_000,
    });
  });
});
