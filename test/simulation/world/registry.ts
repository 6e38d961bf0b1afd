import { createHash } from 'node:crypto';
import { type Answer, type Call, json, type OnEffect } from './exchange.ts';

const TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/** A Docker registry's manifests and blobs: `/v2/<repository>/manifests/<reference>`, `/v2/<repository>/blobs/<digest>`. */
export class SimulatedRegistry {
  private readonly manifests = new Map<string, string>();
  /** So many further looks do not find what has this digest. */
  private readonly gone = new Map<string, number>();
  private readonly onEffect: OnEffect;

  constructor(onEffect: OnEffect) {
    this.onEffect = onEffect;
  }

  /** An image that somebody has pushed. @returns its digest */
  push(repository: string, content: string): string {
    const blob = `sha256:${createHash('sha256').update(`blob of ${content}`).digest('hex')}`;
    const bytes = JSON.stringify({
      schemaVersion: 2,
      mediaType: TYPE,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: 100, digest: blob },
      layers: [],
      annotations: { content },
    });
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.manifests.set(`${repository} ${digest}`, bytes);
    return digest;
  }

  /** What a tag means; undefined where there is none. */
  digestOf(repository: string, tag: string): string | undefined {
    const bytes = this.manifests.get(`${repository} ${tag}`);
    return bytes === undefined ? undefined : digestOf(bytes);
  }

  /** Loses an image for so many looks. */
  lose(digest: string, looks: number): void {
    this.gone.set(digest, looks);
  }

  /** Whether the next look would not find the image. */
  isGone(digest: string): boolean {
    return (this.gone.get(digest) ?? 0) > 0;
  }

  handle(call: Call): Answer {
    if (call.path === '/v2/') return json(200, {});
    const blob = /^\/v2\/(.+)\/blobs\/(.+)$/.exec(call.path);
    if (blob)
      return { status: 200, headers: { 'content-length': '100', 'docker-content-digest': blob[2] ?? '' }, body: '' };
    const [, repository = '', reference = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(call.path) ?? [];
    const name = `${repository} ${reference}`;
    if (call.method === 'PUT') {
      const again = this.manifests.get(name) === call.body;
      this.manifests.set(name, call.body);
      const change = `${again ? 'tagged twice' : 'tag'} ${digestOf(call.body)}`;
      this.onEffect({ system: 'registry', subject: `${repository}:${reference}`, change });
      return { status: 201, headers: { 'docker-content-digest': digestOf(call.body) }, body: '' };
    }
    const bytes = this.looked(name);
    if (bytes === undefined) return json(404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    const headers = {
      'content-type': TYPE,
      'content-length': String(Buffer.byteLength(bytes)),
      'docker-content-digest': digestOf(bytes),
    };
    return { status: 200, headers, body: call.method === 'HEAD' ? '' : bytes };
  }

  private looked(name: string): string | undefined {
    const bytes = this.manifests.get(name);
    const looks = bytes === undefined ? 0 : (this.gone.get(digestOf(bytes)) ?? 0);
    if (bytes === undefined || looks === 0) return bytes;
    this.gone.set(digestOf(bytes), looks - 1);
    return undefined;
  }
}

const digestOf = (bytes: string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
