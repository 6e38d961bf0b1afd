/** A thin client of the Docker Registry HTTP API v2 (OCI distribution-spec 1.1). */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import { Authorization, type RegistryCredentials } from './authorization.ts';
import { answerFailure, networkFailure, unexpectedAnswer } from './errors.ts';
import { MANIFEST_TYPES, type StoredManifest, tagListSchema } from './types.ts';

export interface RegistryOptions {
  /** `host:port`. Loopback is spoken to over http, everything else over https, as Docker does. */
  readonly address: string;
  /** Speaks http to a host that is not loopback; the Docker engines need it in `insecure-registries` too. */
  readonly insecure?: boolean | undefined;
  readonly credentials?: RegistryCredentials | undefined;
  /** Longest time for one call, its body included. Default 10 000. */
  readonly timeoutMs?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a HEAD says of a manifest. */
export interface ManifestHead {
  readonly digest: string;
  readonly mediaType: string;
  /** Size of the manifest itself. */
  readonly bytes: number;
}

interface Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Below `/v2/`, or an absolute URL that the registry named. */
  readonly path: string;
  /** What a token must allow, such as `repository:sample:pull`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly signal?: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly url: string;
}

/**
 * Docker registry 2.8 on a file system answers 500 to a read of a manifest while another client pushes the same one
 * (distribution#4478): such reads are made again, after 50, 100, 200 and 400 ms.
 */
const READ_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 50;
const PAGE = 1000;

/**
 * One method a call. Every method fails with an `ApplicationFailure`: `SystemUnavailable` when nothing answered, on
 * 5xx, and while the registry is read-only; `SystemRefused` on other 4xx; `UnexpectedAnswer` when the answer breaks
 * the specification, such as content that does not have its digest.
 */
export class RegistryClient {
  /** `host:port`. */
  readonly address: string;
  readonly #base: string;
  readonly #timeoutMs: number;
  readonly #authorization: Authorization;

  constructor(options: RegistryOptions) {
    this.address = options.address;
    this.#base = registryUrl(options.address, options.insecure);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#authorization = new Authorization({
      url: this.#base,
      credentials: options.credentials,
      timeoutMs: this.#timeoutMs,
    });
  }

  /** Resolves when the registry answers and lets us in. */
  async ping(options: CallOptions = {}): Promise<void> {
    const answer = await this.#send({ method: 'GET', path: '', scope: '', ...options });
    if (answer.status !== 200) throw this.#failure('GET /v2/', answer);
  }

  /** What a tag or digest points to; undefined when there is no such manifest or repository. */
  async headManifest(
    repository: string,
    reference: string,
    options: CallOptions = {},
  ): Promise<ManifestHead | undefined> {
    const answer = await this.#readManifest('HEAD', repository, reference, options);
    if (answer === undefined) return undefined;
    const call = `HEAD ${repository} ${reference}`;
    const digest = answer.headers.get('docker-content-digest');
    if (digest === null) throw unexpectedAnswer(this.#base, call, 'has no Docker-Content-Digest');
    return { digest, mediaType: mediaTypeOf(answer), bytes: Number(answer.headers.get('content-length') ?? 0) };
  }

  /** A manifest byte for byte, its digest computed from what came; undefined when there is none. */
  async getManifest(
    repository: string,
    reference: string,
    options: CallOptions = {},
  ): Promise<StoredManifest | undefined> {
    const answer = await this.#readManifest('GET', repository, reference, options);
    if (answer === undefined) return undefined;
    const digest = sha256(answer.body);
    const expected = reference.includes(':') ? reference : answer.headers.get('docker-content-digest');
    if (expected !== null && expected !== digest) {
      throw unexpectedAnswer(this.#base, `GET ${repository} ${reference}`, `has the digest ${digest}, not ${expected}`);
    }
    return { bytes: answer.body, mediaType: mediaTypeOf(answer), digest };
  }

  /** Stores a manifest under a tag (or its digest) and returns the digest the registry gave it. Safe to repeat. */
  async putManifest(
    repository: string,
    reference: string,
    manifest: Pick<StoredManifest, 'bytes' | 'mediaType'>,
    options: CallOptions = {},
  ): Promise<string> {
    const answer = await this.#send({
      method: 'PUT',
      path: `${repository}/manifests/${reference}`,
      scope: `repository:${repository}:pull,push`,
      headers: { 'Content-Type': manifest.mediaType },
      body: manifest.bytes,
      ...options,
    });
    const call = `PUT ${repository} ${reference}`;
    if (answer.status !== 201) throw this.#failure(call, answer);
    const expected = sha256(manifest.bytes);
    const digest = answer.headers.get('docker-content-digest') ?? expected;
    if (digest !== expected) throw unexpectedAnswer(this.#base, call, `says digest ${digest}, not ${expected}`);
    return digest;
  }

  /** Deletes a manifest with every tag on it; false when it was not there. */
  async deleteManifest(repository: string, digest: string, options: CallOptions = {}): Promise<boolean> {
    const answer = await this.#send({
      method: 'DELETE',
      path: `${repository}/manifests/${digest}`,
      scope: `repository:${repository}:delete`,
      ...options,
    });
    if (answer.status === 404) return false;
    if (answer.status !== 202 && answer.status !== 200) throw this.#failure(`DELETE ${repository} ${digest}`, answer);
    return true;
  }

  /** Every tag of a repository, sorted, over all pages; empty when there is no such repository. */
  async listTags(repository: string, options: CallOptions = {}): Promise<string[]> {
    const tags = new Set<string>();
    const seen = new Set<string>();
    let path: string | undefined = new URL(`${repository}/tags/list?n=${PAGE}`, this.#base).toString();
    while (path !== undefined && !seen.has(path)) {
      seen.add(path);
      const call = `tags of ${repository}`;
      const answer: Answer = await this.#send({
        method: 'GET',
        path,
        scope: `repository:${repository}:pull`,
        ...options,
      });
      if (answer.status === 404) break;
      if (answer.status !== 200) throw this.#failure(call, answer);
      for (const tag of this.#parse(tagListSchema, answer, call).tags ?? []) tags.add(tag);
      path = nextPage(answer);
    }
    return [...tags].sort();
  }

  /** True when the registry has this layer or configuration, and would send it. */
  async hasBlob(repository: string, digest: string, options: CallOptions = {}): Promise<boolean> {
    const answer = await this.#send({
      method: 'HEAD',
      path: `${repository}/blobs/${digest}`,
      scope: `repository:${repository}:pull`,
      ...options,
    });
    if (answer.status === 404) return false;
    if (answer.status !== 200) throw this.#failure(`HEAD ${repository} blob ${digest}`, answer);
    return true;
  }

  /** A small blob, such as an image's configuration, checked against its digest and a schema; undefined when missing. */
  async getJsonBlob<T>(
    repository: string,
    digest: string,
    schema: z.ZodType<T>,
    options: CallOptions = {},
  ): Promise<T | undefined> {
    const call = `GET ${repository} blob ${digest}`;
    const answer = await this.#send({
      method: 'GET',
      path: `${repository}/blobs/${digest}`,
      scope: `repository:${repository}:pull`,
      ...options,
    });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#failure(call, answer);
    // Also against a registry that answers 200 with no body for a layer it has collected (distribution#1803).
    const got = sha256(answer.body);
    if (got !== digest) throw unexpectedAnswer(this.#base, call, `has the digest ${got}`);
    return this.#parse(schema, answer, call);
  }

  /** True when pushes are taken; false in read-only mode. Opens an upload and cancels it at once. */
  async takesPushes(repository: string, options: CallOptions = {}): Promise<boolean> {
    const scope = `repository:${repository}:pull,push`;
    const call = `POST ${repository} upload`;
    const answer = await this.#send({ method: 'POST', path: `${repository}/blobs/uploads/`, scope, ...options });
    if (answer.status === 405) return false;
    const location = answer.headers.get('location');
    if (answer.status !== 202 || location === null) throw this.#failure(call, answer);
    const path = new URL(location, answer.url).toString();
    const cancelled = await this.#send({ method: 'DELETE', path, scope, ...options });
    if (cancelled.status !== 204 && cancelled.status !== 404) throw this.#failure(`${call} cancelled`, cancelled);
    return true;
  }

  async #readManifest(
    method: 'GET' | 'HEAD',
    repository: string,
    reference: string,
    options: CallOptions,
  ): Promise<Answer | undefined> {
    for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt += 1, pauseMs *= 2) {
      const answer = await this.#send({
        method,
        path: `${repository}/manifests/${reference}`,
        scope: `repository:${repository}:pull`,
        headers: { Accept: MANIFEST_TYPES.join(', ') },
        ...options,
      });
      if (answer.status === 200) return answer;
      if (answer.status === 404) return undefined;
      if (answer.status < 500 || attempt === READ_ATTEMPTS)
        throw this.#failure(`${method} ${repository} ${reference}`, answer);
      await delay(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }

  async #send(request: Request): Promise<Answer> {
    const known = this.#authorization.headerFor(request.scope);
    const first = await this.#exchange(request, known);
    if (first.status !== 401) return first;
    const challenge = first.headers.get('www-authenticate');
    const header = await this.#authorization.answer(challenge, request.scope, request.signal);
    return header === undefined ? first : this.#exchange(request, header);
  }

  async #exchange(request: Request, authorization: string | undefined): Promise<Answer> {
    const { method, body, signal } = request;
    const url = new URL(request.path, this.#base);
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    // Where a registry sends us elsewhere (blobs on object storage), fetch does not take the credentials along.
    const ours = url.origin === new URL(this.#base).origin;
    try {
      const response = await fetch(url, {
        method,
        headers: {
          ...request.headers,
          ...(authorization === undefined || !ours ? {} : { Authorization: authorization }),
        },
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      });
      const content = Buffer.from(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, body: content, url: url.toString() };
    } catch (error) {
      signal?.throwIfAborted();
      throw networkFailure(this.#base, `${method} ${request.path}`, error);
    }
  }

  #parse<T>(schema: z.ZodType<T>, answer: Answer, call: string): T {
    try {
      return schema.parse(JSON.parse(answer.body.toString('utf8')));
    } catch (error) {
      throw unexpectedAnswer(this.#base, call, `is not what it should be: ${String(error)}`);
    }
  }

  #failure(call: string, answer: Answer): ApplicationFailure {
    return answerFailure(this.#base, call, answer.status, answer.body.toString('utf8'));
  }
}

/** `sha256:` and the hash of some bytes. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function mediaTypeOf(answer: Answer): string {
  return (answer.headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '';
}

/** RFC 8288 `Link: </v2/...>; rel="next"`, relative or absolute. */
function nextPage(answer: Answer): string | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(answer.headers.get('link') ?? '')?.[1];
  return target === undefined ? undefined : new URL(target, answer.url).toString();
}

/** Base of a registry's API: loopback is spoken to over http, everything else over https, as Docker does. */
export function registryUrl(address: string, insecure = false): string {
  return `${insecure || isLoopback(address) ? 'http' : 'https'}://${address}/v2/`;
}

function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '');
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
