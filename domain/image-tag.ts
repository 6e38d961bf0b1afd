import { sha256Digest } from './digest.ts';

/** What a tag of a service's repository is; the classes decide what retention may delete. */
export type ImageTag =
  /** `v<version>`: promoted, production runs it or ran it. */
  | { readonly kind: 'release'; readonly version: string }
  /** Pushed by a build, named for the build and the time of the push. */
  | { readonly kind: 'candidate'; readonly pushedAt: string; readonly build: string }
  /** `sha256-<hex>` with or without an ending: referrers, signature or bill of materials of the digest it names. */
  | { readonly kind: 'attachment'; readonly subject: string }
  /** Made by somebody else; Slipway knows no rule for it. */
  | { readonly kind: 'other' };

const BUILD_DIGITS = 12;

/** The tag under which production knows a version, such as `v1.2.0`. */
export function releaseTag(version: string): string {
  return `v${version}`;
}

/** The part of a candidate tag that names its build: 12 hex digits of the SHA-256 of the build's workflow id. */
export function buildMark(buildWorkflowId: string): string {
  return sha256Digest(buildWorkflowId).slice('sha256:'.length, 'sha256:'.length + BUILD_DIGITS);
}

/**
 * The tag that a build pushes, such as `build-20260131T235959Z-0123456789ab`. A registry keeps no time of a push, and
 * a cached build keeps the old time of creation, so the tag itself says when it was pushed.
 * @param at time of the push, ISO 8601
 */
export function candidateTag(at: string, buildWorkflowId: string): string {
  const stamp = new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '');
  return `build-${stamp}-${buildMark(buildWorkflowId)}`;
}

/** Repository of a service's own image. */
export function serviceRepository(service: string): string {
  return service;
}

/** Repository of the image of one of a service's test containers. */
export function testRepository(service: string, suite: string): string {
  return `${service}/test/${suite}`;
}

/** What a tag's name says of it. */
export function readTag(tag: string): ImageTag {
  const release = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag);
  if (release?.[1] !== undefined) return { kind: 'release', version: release[1] };
  const candidate = /^build-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-([0-9a-f]{12})$/.exec(tag);
  if (candidate !== null) {
    const [, year, month, day, hour, minute, second, build = ''] = candidate;
    const pushedAt = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
    if (!Number.isNaN(Date.parse(pushedAt))) return { kind: 'candidate', pushedAt, build };
  }
  const attachment = /^sha256-([0-9a-f]{64})(?:\.[\w.-]+)?$/.exec(tag);
  if (attachment?.[1] !== undefined) return { kind: 'attachment', subject: `sha256:${attachment[1]}` };
  return { kind: 'other' };
}

/**
 * Order of semantic versions by precedence (semver.org 2.0.0, section 11), oldest first. Build metadata can't be in a
 * tag and is not looked at.
 */
export function compareVersions(a: string, b: string): number {
  const [coreA, ...preA] = a.split('-');
  const [coreB, ...preB] = b.split('-');
  const core = compareIdentifiers((coreA ?? '').split('.'), (coreB ?? '').split('.'));
  if (core !== 0) return core;
  // A pre-release comes before its release.
  if (preA.length === 0 || preB.length === 0) return Math.sign(preB.length) - Math.sign(preA.length);
  return compareIdentifiers(preA.join('-').split('.'), preB.join('-').split('.'));
}

function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = compareIdentifier(left, right);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifier(a: string, b: string): number {
  const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numericA && numericB) return Number(a) - Number(b);
  if (numericA !== numericB) return numericA ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
