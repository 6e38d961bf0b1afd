import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { bundleOf } from '../../domain/bundle.ts';
import { buildMark, candidateTag } from '../../domain/image-tag.ts';
import type { collectGarbage } from '../../workflows/collect-garbage.ts';
import { type CollectGarbageInput, hostTaskQueue, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { MANIFEST } from './world.ts';

jest.setTimeout(300_000);

const HOST = 'local';
const OLD = '2026-01-01T00:00:00.000Z';
const BYTES_OF_A_LAYER = 100;
const digest = (name: string) => `sha256:${name.padEnd(64, '0')}`;
const bundle = (image: string, test: string) =>
  bundleOf({
    service: 'sample',
    version: '1.0.0',
    commit: 'c'.repeat(40),
    image: { repository: 'sample', digest: digest(image) },
    testImages: { contract: { repository: 'sample/test/contract', digest: digest(test) } },
    configVersion: 0,
    manifestDigest: digest('d'),
  });

/** A registry and all that knows what is needed of it, at the activity border. */
class Cluster {
  readonly repositories = new Map<string, Map<string, string>>([
    [
      'sample',
      new Map([
        ['v1.0.0', digest('1')],
        ['v1.1.0', digest('2')],
        ['v1.2.0', digest('3')],
        ['v1.3.0', digest('4')],
        ['v1.4.0', digest('5')],
        [candidateTag(OLD, 'build/sample/old'), digest('6')],
      ]),
    ],
    [
      'sample/test/contract',
      new Map([
        [candidateTag(OLD, 'build/sample/old'), digest('a')],
        [candidateTag(OLD, 'build/sample/k9'), digest('b')],
      ]),
    ],
  ]);
  mode: 'read-write' | 'read-only' = 'read-write';
  storage: number | undefined = 10_000;
  /** What happened to the registry, in order. */
  readonly effects: string[] = [];
  readonly faults = new Map<string, (() => Promise<void>)[]>();
  running: object[] = [];
  releases: object[] = [];
  lanes: object[] = [];

  /** The next call of an activity does this instead of its work. */
  next(activity: string, ...faults: (() => Promise<void>)[]): void {
    this.faults.set(activity, [...(this.faults.get(activity) ?? []), ...faults]);
  }

  activities(): object {
    const only = (name: string, activity: (input: never) => Promise<unknown>) => async (input: never) => {
      await this.faults.get(name)?.shift()?.();
      return activity(input);
    };
    const activities: Record<string, (input: never) => Promise<unknown>> = {
      readRetentionRules: async () => ({
        services: [
          { service: 'sample', branch: 'main' },
          { service: 'broken', branch: 'main' },
        ],
        graceSeconds: 3600,
        host: HOST,
      }),
      resolveCommit: async () => ({ commit: 'c'.repeat(40), subject: '', author: '' }),
      readManifest: async ({ service }: { service: string }) => {
        if (service === 'broken') throw ApplicationFailure.nonRetryable('version is missing', 'ManifestInvalid');
        return { manifest: { ...MANIFEST, retention: { keepReleases: 2 } }, digest: digest('d') };
      },
      readEnvironments: async () => [{ name: 'fat' }, { name: 'prod' }],
      listRevisions: async ({ environment }: { environment: string }) => (environment === 'prod' ? this.running : []),
      readLanes: async () => this.lanes,
      describeHolder: async ({ holder }: { holder: string }) => {
        const described = await rig?.client.getHandle(holder).describe();
        return { running: described?.status.name === 'RUNNING' };
      },
      listRunningReleases: async () => this.releases,
      observeRepository: async ({ repository }: { repository: string }) => {
        const tags = [...(this.repositories.get(repository) ?? [])].map(([tag, digest]) => ({ tag, digest }));
        const digests = [...new Set(tags.map((tag) => tag.digest))];
        return {
          repository,
          tags,
          digests: digests.map((digest) => ({ digest, createdAt: OLD, bytes: BYTES_OF_A_LAYER, children: [] })),
        };
      },
      exclusiveBytes: async ({ repositories }: { repositories: { digests: string[] }[] }) =>
        repositories.flatMap(({ digests }) => digests).length * BYTES_OF_A_LAYER,
      deleteDigests: async (input: { repository: string; deletions: { digest: string; tags: string[] }[] }) => {
        const tags = this.repositories.get(input.repository);
        for (const deletion of input.deletions) for (const tag of deletion.tags) tags?.delete(tag);
        this.effects.push(
          `delete ${input.deletions.flatMap((deletion) => deletion.tags).join(' ')} of ${input.repository}`,
        );
        return { deleted: input.deletions, spared: [] };
      },
      makeRegistryReadOnly: async () => {
        this.mode = 'read-only';
        this.effects.push('read-only');
      },
      makeRegistryReadWrite: async ({ onlyIfNeeded }: { onlyIfNeeded: boolean }) => {
        if (onlyIfNeeded && this.mode === 'read-write') return;
        this.mode = 'read-write';
        this.effects.push('read-write');
      },
      measureRegistryStorage: async () => (this.storage === undefined ? {} : { bytes: this.storage }),
      collectRegistryGarbage: async () => {
        this.effects.push(`collect while ${this.mode}`);
        if (this.storage !== undefined) this.storage -= 4_200;
      },
    };
    return Object.fromEntries(Object.entries(activities).map(([name, activity]) => [name, only(name, activity)]));
  }
}

let cluster: Cluster;
let rig: WorkflowRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function start(input: Partial<CollectGarbageInput> = {}) {
  // A real server: cancellation is part of what is tested, and no timer of a collection is long.
  rig = await startWorkflowRig(cluster.activities(), { server: 'dev', taskQueues: [hostTaskQueue(HOST)] });
  return rig.client.start<typeof collectGarbage>(WorkflowType.CollectGarbage, {
    workflowId: 'collect-garbage/test',
    taskQueue: TASK_QUEUE,
    args: [{ services: ['sample'], dryRun: false, ...input }],
  });
}

const tagsOf = (repository: string) => [...(cluster.repositories.get(repository)?.keys() ?? [])].sort();
const unavailable = async () => {
  throw ApplicationFailure.retryable('no answer', 'SystemUnavailable');
};
const refused = async () => {
  throw ApplicationFailure.nonRetryable('no', 'SystemRefused');
};

describe('collectGarbage', () => {
  it('deletes what no rule keeps and nothing needs, then collects while the registry is read-only', async () => {
    cluster = new Cluster();
    const current = { revision: 'r7', bundle: bundle('3', 'b'), spec: {}, instances: 3 };
    const previous = { revision: 'r6', bundle: bundle('2', 'c'), spec: {}, instances: 0 };
    cluster.lanes = [
      { state: { environment: 'prod', service: 'sample', lastRevision: 7, current, previous }, queue: [] },
    ];
    cluster.running = [{ revision: 'r5', image: `127.0.0.1:5000/sample@${digest('6')}` }];
    const result = await (await start()).result();

    expect(tagsOf('sample')).toEqual([candidateTag(OLD, 'build/sample/old'), 'v1.1.0', 'v1.2.0', 'v1.3.0', 'v1.4.0']);
    expect(tagsOf('sample/test/contract')).toEqual([candidateTag(OLD, 'build/sample/k9')]);
    expect(cluster.effects).toEqual([
      'delete v1.0.0 of sample',
      `delete ${candidateTag(OLD, 'build/sample/old')} of sample/test/contract`,
      'read-only',
      'collect while read-only',
      'read-write',
    ]);
    expect(result).toMatchObject({
      dryRun: false,
      tagsDeleted: 2,
      digestsDeleted: 2,
      bytesReclaimed: 4_200,
      bytesMeasuredBy: 'storage',
      skipped: [],
    });
    const reasons = Object.fromEntries(result.kept.map((kept) => [kept.digest, kept.reasons]));
    expect(reasons[digest('3')]).toEqual(['r7 is current in prod']);
    expect(reasons[digest('2')]).toEqual(['prod can go back to it, as r6']);
    expect(reasons[digest('6')]).toEqual(['r5 in prod runs it']);
    expect(reasons[digest('b')]).toEqual(['r7 is current in prod']);
    expect(reasons[digest('5')]).toEqual(['v1.4.0 is one of the 2 newest releases']);
  });

  it('keeps what a running release has built, and everything of a service whose release is being prepared', async () => {
    cluster = new Cluster();
    const release = {
      id: 'release/sample/k9',
      service: 'sample',
      key: 'k9',
      images: [{ repository: 'sample', digest: digest('1') }],
    };
    cluster.releases = [{ ...release, prepared: true }];
    const result = await (await start()).result();
    expect(buildMark('build/sample/k9')).toBe(candidateTag(OLD, 'build/sample/k9').slice(-12));
    expect(tagsOf('sample/test/contract')).toEqual([candidateTag(OLD, 'build/sample/k9')]);
    expect(tagsOf('sample')).toEqual(['v1.0.0', 'v1.3.0', 'v1.4.0']);
    expect(result.kept.find((kept) => kept.digest === digest('1'))?.reasons).toEqual([
      'release/sample/k9 is on its way',
    ]);
    await rig?.stop();

    cluster = new Cluster();
    cluster.releases = [{ ...release, images: [], prepared: false }];
    expect((await (await start()).result()).digestsDeleted).toBe(0);
    expect(cluster.effects).toEqual([]);
  });

  it('asks again right before it deletes: what became needed meanwhile stays', async () => {
    cluster = new Cluster();
    // Two environments are asked a round: the third call is the first one of the second round.
    cluster.next(
      'listRevisions',
      async () => undefined,
      async () => undefined,
      async () => {
        cluster.running = [{ revision: 'r8', image: `127.0.0.1:5000/sample@${digest('1')}` }];
      },
    );
    await (await start()).result();
    // Without it, both would go.
    expect(tagsOf('sample')).toContain('v1.0.0');
    expect(tagsOf('sample')).not.toContain('v1.1.0');
  });

  it('plans and tells in a dry run, and changes nothing', async () => {
    cluster = new Cluster();
    const before = [tagsOf('sample'), tagsOf('sample/test/contract')];
    const result = await (await start({ dryRun: true })).result();
    expect(result).toMatchObject({ dryRun: true, tagsDeleted: 6, bytesReclaimed: 600, bytesMeasuredBy: 'layers' });
    expect([tagsOf('sample'), tagsOf('sample/test/contract')]).toEqual(before);
    expect(cluster.effects).toEqual([]);
  });

  it('leaves a service alone whose rule it does not know', async () => {
    cluster = new Cluster();
    const result = await (await start({ services: [] })).result();
    expect(result.skipped).toEqual([{ service: 'broken', because: expect.stringContaining('version is missing') }]);
    expect(result.digestsDeleted).toBeGreaterThan(0);
    await rig?.stop();
    cluster = new Cluster();
    const unknown = await (await start({ services: ['nobody'] })).result();
    expect(unknown).toMatchObject({
      digestsDeleted: 0,
      skipped: [{ service: 'nobody', because: 'it is not configured' }],
    });
  });

  it.each(['listRevisions', 'readLanes', 'listRunningReleases', 'observeRepository'])(
    'deletes nothing when %s can not say what is needed',
    async (activity) => {
      cluster = new Cluster();
      cluster.next(activity, refused);
      await expect((await start()).result()).rejects.toThrow(WorkflowFailedError);
      expect(cluster.effects).toEqual([]);
    },
  );

  it('tells the sizes of layers where the storage can not be measured', async () => {
    cluster = new Cluster();
    cluster.storage = undefined;
    expect(await (await start()).result()).toMatchObject({ bytesReclaimed: 600, bytesMeasuredBy: 'layers' });
  });
});

describe('the registry ends read-write', () => {
  it('when the collection fails', async () => {
    cluster = new Cluster();
    cluster.next('collectRegistryGarbage', refused);
    await expect((await start()).result()).rejects.toThrow(WorkflowFailedError);
    expect(cluster.effects.slice(-2)).toEqual(['read-only', 'read-write']);
    expect(cluster.mode).toBe('read-write');
  });

  it('when going read-only fails halfway', async () => {
    cluster = new Cluster();
    cluster.next('makeRegistryReadOnly', async () => {
      cluster.mode = 'read-only';
      await refused();
    });
    await expect((await start()).result()).rejects.toThrow(WorkflowFailedError);
    expect(cluster.mode).toBe('read-write');
  });

  it('when it is cancelled while it collects', async () => {
    cluster = new Cluster();
    const collecting = Promise.withResolvers<void>();
    cluster.next('collectRegistryGarbage', async () => {
      collecting.resolve();
      const beat = setInterval(() => Context.current().heartbeat(), 200);
      await Context.current().cancelled.finally(() => clearInterval(beat));
    });
    const handle = await start();
    await collecting.promise;
    expect(cluster.mode).toBe('read-only');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(cluster.mode).toBe('read-write');
  });

  it('when it is terminated while it collects', async () => {
    cluster = new Cluster();
    const collecting = Promise.withResolvers<void>();
    const terminated = Promise.withResolvers<void>();
    cluster.next('collectRegistryGarbage', () => {
      collecting.resolve();
      return terminated.promise;
    });
    const handle = await start();
    await collecting.promise;
    expect(cluster.mode).toBe('read-only');
    await handle.terminate();
    terminated.resolve();
    const { runId } = await handle.describe();
    await rig?.client.getHandle(`keep-writable/${runId}`).result();
    expect(cluster.mode).toBe('read-write');
  });

  it('however often the way back fails', async () => {
    cluster = new Cluster();
    cluster.next('makeRegistryReadWrite', async () => undefined, unavailable, unavailable, unavailable);
    await (await start()).result();
    expect(cluster.mode).toBe('read-write');
  });

  it('when a run before was terminated: the next one begins with it', async () => {
    cluster = new Cluster();
    cluster.mode = 'read-only';
    await (await start()).result();
    expect(cluster.effects[0]).toBe('read-write');
    expect(cluster.mode).toBe('read-write');
  });
});
