/** Reads what an image or an index is made of. */

import type { StoredTag } from '../../domain/retention/observation.ts';
import type { CallOptions, RegistryClient } from './client.ts';
import { unexpectedAnswer } from './errors.ts';
import { imageConfigSchema, imageManifestSchema, indexSchema, type StoredManifest } from './types.ts';

/** Reads at a time: more makes a registry on a network file system slower, not faster. */
const PARALLEL = 4;

export interface ImageDescription {
  readonly digest: string;
  /** ISO 8601; absent where the configuration has none, as for an index. */
  readonly createdAt?: string;
  /** Of the manifest, its configuration and its layers; of an index, of its manifests as well; bytes. */
  readonly bytes: number;
  /** Manifests that an index names. */
  readonly children: readonly string[];
  /** Everything the manifest names that takes space, with its size: configuration and layers. */
  readonly blobs: readonly { readonly digest: string; readonly bytes: number }[];
}

/** Describes what a digest is; undefined when it is gone. Unknown kinds of manifest have only their own size. */
async function describeImage(
  client: RegistryClient,
  repository: string,
  digest: string,
  options: CallOptions = {},
): Promise<ImageDescription | undefined> {
  const manifest = await client.getManifest(repository, digest, options);
  if (manifest === undefined) return undefined;
  const content = parseJson(manifest, client.address);
  const index = indexSchema.safeParse(content).data;
  if (index !== undefined) {
    const children = index.manifests.map((child) => child.digest);
    const sizes = index.manifests.map((child) => child.size);
    return { digest, bytes: manifest.bytes.length + sum(sizes), children, blobs: [] };
  }
  const image = imageManifestSchema.safeParse(content).data;
  if (image === undefined) return { digest, bytes: manifest.bytes.length, children: [], blobs: [] };
  const blobs = [image.config, ...image.layers].map(({ digest, size }) => ({ digest, bytes: size }));
  const config = await client.getJsonBlob(repository, image.config.digest, imageConfigSchema, options);
  const created = config?.created;
  return {
    digest,
    ...(created === undefined || Number.isNaN(Date.parse(created))
      ? {}
      : { createdAt: new Date(created).toISOString() }),
    bytes: manifest.bytes.length + sum(blobs.map((blob) => blob.bytes)),
    children: [],
    blobs,
  };
}

/**
 * Digests of the configuration and the layers that a digest names, those of an index by each of its manifests; undefined
 * when a manifest is missing.
 */
export async function describeParts(
  client: RegistryClient,
  repository: string,
  digest: string,
  options: CallOptions = {},
): Promise<readonly string[] | undefined> {
  const manifest = await client.getManifest(repository, digest, options);
  if (manifest === undefined) return undefined;
  const content = parseJson(manifest, client.address);
  const index = indexSchema.safeParse(content).data;
  if (index !== undefined) {
    const parts = await inParallel(index.manifests, (child) =>
      describeParts(client, repository, child.digest, options),
    );
    return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
  }
  const image = imageManifestSchema.safeParse(content).data;
  return image === undefined ? [] : [image.config, ...image.layers].map((part) => part.digest);
}

function parseJson(manifest: StoredManifest, address: string): unknown {
  try {
    return JSON.parse(manifest.bytes.toString('utf8'));
  } catch {
    throw unexpectedAnswer(address, `GET manifest ${manifest.digest}`, 'is not JSON');
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** Every tag of a repository with what it points to. */
export async function observeTags(
  client: RegistryClient,
  repository: string,
  options: CallOptions = {},
): Promise<StoredTag[]> {
  const tags = await client.listTags(repository, options);
  const heads = await inParallel(tags, async (tag) => ({
    tag,
    digest: (await client.headManifest(repository, tag, options))?.digest,
  }));
  // Docker registry 2.8 lists tags whose manifest is gone; such a tag points to nothing.
  return heads.flatMap(({ tag, digest }) => (digest === undefined ? [] : [{ tag, digest }]));
}

/** Describes every digest that these tags point to, once each; what is gone meanwhile is left out. */
export async function describeImages(
  client: RegistryClient,
  repository: string,
  tags: readonly StoredTag[],
  options: CallOptions = {},
): Promise<ImageDescription[]> {
  const digests = [...new Set(tags.map((tag) => tag.digest))];
  const described = await inParallel(digests, (digest) => describeImage(client, repository, digest, options));
  return described.filter((image) => image !== undefined);
}

/** Maps with at most `PARALLEL` calls open; the order of the results is that of the items. */
async function inParallel<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries();
  let failed = false;
  // The lanes share one iterator, so each takes the next item that nobody has taken.
  const lane = async () => {
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return results;
}
