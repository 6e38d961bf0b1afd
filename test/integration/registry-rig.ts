/** Two real registries on one storage, and images to put into them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegistryClient } from '../../activities/registry/client.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { type RegistryPair, registryPair, startRegistryPair } from '../../local/platform/registry.ts';
import { Supervisor } from '../../local/platform/supervisor.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';

const IMAGE_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

export interface RegistryRig extends RegistryPair {
  readonly client: RegistryClient;
  readonly directory: string;
  /** For what else a suite needs beside the registries. */
  readonly supervisor: Supervisor;
  stop(): Promise<void>;
}

export async function startRegistryRig(): Promise<RegistryRig> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-registry-'));
  const toolbox = await ensureToolbox(['haproxy', 'docker-registry'], () => {});
  const supervisor = await Supervisor.open({ dir: join(directory, 'platform'), log: () => {} });
  const first = await freePortBlock(6);
  const pair = registryPair(supervisor, {
    registry: toolbox.path('docker-registry'),
    haproxy: toolbox.path('haproxy'),
    ports: {
      front: first,
      replicas: [first + 1, first + 2],
      servers: [first + 3, first + 4],
      runtime: first + 5,
    },
  });
  const stop = async () => {
    await supervisor.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await startRegistryPair(pair);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...pair, client: new RegistryClient({ address: pair.address }), directory, supervisor, stop };
}

export interface PushedImage {
  readonly digest: string;
  /** As they were sent. */
  readonly manifest: Buffer;
}

/** Puts an image of one layer under a tag. @param options.bytes size of its layer, which does not compress */
export async function pushImage(
  address: string,
  repository: string,
  tag: string,
  options: { readonly created?: string; readonly bytes?: number } = {},
): Promise<PushedImage> {
  const layer = randomBytes(options.bytes ?? 1000);
  const config = Buffer.from(JSON.stringify({ created: options.created ?? '2026-01-01T00:00:00Z', rootfs: {} }));
  for (const blob of [layer, config]) await pushBlob(address, repository, blob);
  // With spaces, which a client that writes the manifest anew would lose.
  const manifest = Buffer.from(
    JSON.stringify(
      {
        schemaVersion: 2,
        mediaType: IMAGE_TYPE,
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: config.length,
          digest: sha256(config),
        },
        layers: [
          { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: layer.length, digest: sha256(layer) },
        ],
      },
      null,
      3,
    ),
  );
  const client = new RegistryClient({ address });
  const digest = await client.putManifest(repository, tag, { bytes: manifest, mediaType: IMAGE_TYPE });
  return { digest, manifest };
}

/** Puts an index over images of the same repository under a tag. */
export async function pushIndex(
  address: string,
  repository: string,
  tag: string,
  children: readonly PushedImage[],
): Promise<string> {
  const manifests = children.map(({ digest, manifest }) => ({ mediaType: IMAGE_TYPE, digest, size: manifest.length }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
  return new RegistryClient({ address }).putManifest(repository, tag, { bytes, mediaType: INDEX_TYPE });
}

async function pushBlob(address: string, repository: string, content: Buffer): Promise<void> {
  const opened = await fetch(`http://${address}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  if (opened.status !== 202) throw new Error(`an upload can't be opened: ${opened.status} ${await opened.text()}`);
  const url = new URL(opened.headers.get('location') ?? '', `http://${address}`);
  url.searchParams.set('digest', sha256(content));
  const stored = await fetch(url, { method: 'PUT', body: new Uint8Array(content) });
  if (stored.status !== 201) throw new Error(`a blob can't be stored: ${stored.status} ${await stored.text()}`);
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
