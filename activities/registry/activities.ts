/** Activities on the images of a registry; all idempotent. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { ImageReference } from '../../domain/bundle.ts';
import { FailureType } from '../../domain/failures.ts';
import { readTag } from '../../domain/image-tag.ts';
import type { RepositoryObservation } from '../../domain/retention/observation.ts';
import type { Deletion } from '../../domain/retention/plan.ts';
import { beating } from '../beating.ts';
import type { RegistryCredentials } from './authorization.ts';
import { RegistryClient } from './client.ts';
import { imageMissing } from './errors.ts';
import { describeImages, observeTags } from './image.ts';

export interface RegistryActivitiesOptions {
  /** `host:port` under which images are named, pushed and pulled. */
  readonly address: string;
  /** `host:port` of each replica behind that address. */
  readonly replicas: readonly string[];
  /** Plain http also where the registry is not on loopback. */
  readonly insecure?: boolean | undefined;
  readonly credentials?: RegistryCredentials | undefined;
  /** Longest time for all replicas to agree after a change. Default 30 000. */
  readonly agreeWithinMs?: number | undefined;
}

export interface ReleaseTag {
  readonly tag: string;
  readonly digest: string;
  /** ISO 8601. */
  readonly createdAt?: string;
  readonly bytes: number;
}

/** A planned deletion that was not made, and why. */
export interface Spared {
  readonly digest: string;
  readonly because: string;
}

export interface DeletionReport {
  /** What is gone now; also what was gone already when the call was made again. */
  readonly deleted: readonly Pick<Deletion, 'digest' | 'tags'>[];
  readonly spared: readonly Spared[];
}

const AGREE_POLL_MS = 200;

export type RegistryActivities = ReturnType<typeof createRegistryActivities>;

/** Failures beyond those of `RegistryClient` are named at each activity. All heartbeat every 2 s. */
export function createRegistryActivities(options: RegistryActivitiesOptions) {
  const connect = (address: string) =>
    new RegistryClient({ address, insecure: options.insecure, credentials: options.credentials });
  const client = connect(options.address);
  const replicas = options.replicas.map(connect);
  const agreeWithinMs = options.agreeWithinMs ?? 30_000;

  return {
    /**
     * Gives an image its release tag: the same bytes under another name, no layer moves. `changed` is false when the
     * tag was right already; then nothing is written, because in registry 2.8 a write disturbs concurrent readers of
     * the same manifest. Returns when every replica agrees. Fails with `ImageMissing`, with `TagConflict` when the tag
     * names another digest, and with `NotVerified` when the replicas do not agree in time.
     */
    promoteImage(input: {
      readonly image: ImageReference;
      readonly tag: string;
    }): Promise<{ digest: string; changed: boolean }> {
      const { repository, digest } = input.image;
      const { tag } = input;
      return beating(async (signal) => {
        const existing = await client.headManifest(repository, tag, { signal });
        if (existing !== undefined && existing.digest !== digest) {
          throw tagConflict(client.address, { repository, tag, existing: existing.digest, wanted: digest });
        }
        if (existing === undefined) {
          const manifest = await client.getManifest(repository, digest, { signal });
          if (manifest === undefined) throw imageMissing(client.address, `${repository}@${digest}`);
          await client.putManifest(repository, tag, manifest, { signal });
        }
        for (const replica of replicas) await agreed(replica, { repository, tag, digest, agreeWithinMs, signal });
        return { digest, changed: existing === undefined };
      });
    },

    /** True when every replica has the image. */
    imageExists(input: { readonly image: ImageReference }): Promise<boolean> {
      const { repository, digest } = input.image;
      return beating(async (signal) => {
        const heads = await Promise.all(
          replicas.map((replica) => replica.headManifest(repository, digest, { signal })),
        );
        return heads.every((head) => head !== undefined);
      });
    },

    /** The tags `v<version>` of a repository, sorted by name. */
    listReleaseTags(input: { readonly repository: string }): Promise<readonly ReleaseTag[]> {
      const { repository } = input;
      return beating(async (signal) => {
        const all = await observeTags(client, repository, { signal });
        const tags = all.filter(({ tag }) => readTag(tag).kind === 'release');
        const images = await describeImages(client, repository, tags, { signal });
        const byDigest = new Map(images.map((image) => [image.digest, image]));
        return tags.map(({ tag, digest }) => {
          const image = byDigest.get(digest);
          const createdAt = image?.createdAt;
          return { tag, digest, bytes: image?.bytes ?? 0, ...(createdAt === undefined ? {} : { createdAt }) };
        });
      });
    },

    /** All tags of a repository and what they point to; empty when there is no such repository. */
    observeRepository(input: { readonly repository: string }): Promise<RepositoryObservation> {
      const { repository } = input;
      return beating(async (signal) => {
        const tags = await observeTags(client, repository, { signal });
        const images = await describeImages(client, repository, tags, { signal });
        return { repository, tags, digests: images.map(({ blobs: _, ...stored }) => stored) };
      });
    },

    /**
     * Makes planned deletions. All tags are read again first: a digest that got a tag outside its plan is spared; one
     * that is gone already counts as deleted, so the call may be repeated.
     */
    deleteDigests(input: {
      readonly repository: string;
      readonly deletions: readonly Pick<Deletion, 'digest' | 'tags'>[];
    }): Promise<DeletionReport> {
      const { repository, deletions } = input;
      return beating(async (signal) => {
        const now = Map.groupBy(await observeTags(client, repository, { signal }), (tag) => tag.digest);
        const deleted: Pick<Deletion, 'digest' | 'tags'>[] = [];
        const spared: Spared[] = [];
        for (const { digest, tags } of deletions) {
          const unplanned = (now.get(digest) ?? []).map(({ tag }) => tag).filter((tag) => !tags.includes(tag));
          if (unplanned.length > 0) {
            spared.push({
              digest,
              because: `it has the tags ${unplanned.join(', ')} now, which the plan does not name`,
            });
            continue;
          }
          await client.deleteManifest(repository, digest, { signal });
          if ((await client.headManifest(repository, digest, { signal })) !== undefined) {
            throw notVerified(
              `registry ${client.address}: ${repository}@${digest} is still there after it was deleted`,
            );
          }
          deleted.push({ digest, tags });
        }
        return { deleted, spared };
      });
    },

    /**
     * Bytes of the configurations and layers that only the given digests name, of all that tags name in these
     * repositories: what a collection should win when the digests go. Ask before they are deleted.
     */
    exclusiveBytes(input: {
      readonly repositories: readonly { readonly repository: string; readonly digests: readonly string[] }[];
    }): Promise<number> {
      return beating(async (signal) => {
        const going = new Map<string, number>();
        const staying = new Set<string>();
        for (const { repository, digests } of input.repositories) {
          const tags = await observeTags(client, repository, { signal });
          for (const image of await describeImages(client, repository, tags, { signal })) {
            for (const blob of image.blobs) {
              if (digests.includes(image.digest)) going.set(blob.digest, blob.bytes);
              else staying.add(blob.digest);
            }
          }
        }
        return [...going].reduce((total, [digest, bytes]) => (staying.has(digest) ? total : total + bytes), 0);
      });
    },
  };
}

/** Resolves when a replica gives the tag this digest: a release must not depend on which replica is asked. */
async function agreed(
  replica: RegistryClient,
  wanted: {
    readonly repository: string;
    readonly tag: string;
    readonly digest: string;
    readonly agreeWithinMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { repository, tag, digest, agreeWithinMs, signal } = wanted;
  const deadline = performance.now() + agreeWithinMs;
  for (;;) {
    const seen = await replica.headManifest(repository, tag, { signal });
    if (seen?.digest === digest) return;
    if (performance.now() > deadline) {
      throw notVerified(
        `registry ${replica.address}: ${repository}:${tag} is ${seen?.digest ?? 'missing'} there, not ${digest}, ${agreeWithinMs} ms after it was written; check that the replicas share their storage`,
      );
    }
    await delay(AGREE_POLL_MS, undefined, { signal });
  }
}

function notVerified(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FailureType.NotVerified, message });
}

function tagConflict(
  address: string,
  conflict: { readonly repository: string; readonly tag: string; readonly existing: string; readonly wanted: string },
): ApplicationFailure {
  const { repository, tag, existing, wanted } = conflict;
  return ApplicationFailure.create({
    type: FailureType.TagConflict,
    nonRetryable: true,
    message: `registry ${address}: ${repository}:${tag} exists with ${existing}, not ${wanted}. A release tag never moves; give the change a new version`,
    details: [conflict],
  });
}
