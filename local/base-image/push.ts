import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Layer } from './layer.ts';

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** How long one request may take; a layer is tens of megabytes over loopback. */
const REQUEST_WITHIN_MS = 60_000;

/** An image of one layer, ready to push. */
export interface Image {
  readonly layer: Layer;
  readonly config: Buffer;
  readonly manifest: Buffer;
  /** Digest of the manifest: the image's identity. */
  readonly digest: string;
}

/** The image that has this layer and runs with these settings (OCI image specification, config and Docker manifest v2). */
export function imageOf(
  layer: Layer,
  settings: { readonly env: readonly string[]; readonly cmd: readonly string[] },
): Image {
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Env: settings.env, Cmd: settings.cmd },
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'slipway' }],
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, size: config.length, digest: sha256(config) },
      layers: [{ mediaType: LAYER_TYPE, size: layer.size, digest: layer.digest }],
    }),
  );
  return { layer, config, manifest, digest: sha256(manifest) };
}

/** Whether the tag in the registry at `address` is this very image. */
export async function isPushed(address: string, repository: string, tag: string, image: Image): Promise<boolean> {
  const url = `http://${address}/v2/${repository}/manifests/${tag}`;
  const response = await call(url, { method: 'HEAD', headers: { accept: MANIFEST_TYPE } }, [200, 404]);
  return response.headers.get('docker-content-digest') === image.digest;
}

/** Pushes blobs that are not there, then the manifest under the tag (OCI distribution specification 1.1, "Push"). */
export async function push(address: string, repository: string, tag: string, image: Image): Promise<void> {
  const base = `http://${address}/v2/${repository}`;
  await pushBlob(base, image.layer.digest, () => readFile(image.layer.file));
  await pushBlob(base, sha256(image.config), async () => image.config);
  await call(
    `${base}/manifests/${tag}`,
    { method: 'PUT', headers: { 'content-type': MANIFEST_TYPE }, body: new Uint8Array(image.manifest) },
    [201],
  );
}

async function pushBlob(base: string, digest: string, content: () => Promise<Buffer>): Promise<void> {
  const present = await call(`${base}/blobs/${digest}`, { method: 'HEAD' }, [200, 404]);
  if (present.status === 200) {
    return;
  }
  const started = await call(`${base}/blobs/uploads/`, { method: 'POST' }, [202]);
  const location = new URL(started.headers.get('location') ?? '', started.url);
  location.searchParams.set('digest', digest);
  await call(
    location.href,
    {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(await content()),
    },
    [201],
  );
}

async function call(url: string, init: RequestInit, accepted: readonly number[]): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_WITHIN_MS) });
  if (!accepted.includes(response.status)) {
    throw new Error(
      `registry: ${init.method} ${url} answers ${response.status}: ${(await response.text()).slice(0, 300)}`,
    );
  }
  return response;
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
