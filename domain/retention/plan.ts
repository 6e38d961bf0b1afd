/**
 * Which images of a repository go and which stay. No rule, no deletion: a digest goes only when every tag on it has a
 * rule that lets it go, because deleting a manifest deletes every tag on it (distribution#1566, #2317).
 */
import { compareVersions, type ImageTag, readTag } from '../image-tag.ts';
import type { RepositoryObservation, StoredDigest } from './observation.ts';

export interface RetentionPolicy {
  /** How many of the newest release tags stay. */
  readonly keepReleases: number;
  /** What was made or pushed later than so many seconds before `now` stays, whatever its tags. */
  readonly graceSeconds: number;
  /** ISO 8601. */
  readonly now: string;
}

/** A digest that something needs, such as `runs in prod as r7`; it is kept in every repository. */
export interface Protection {
  readonly digest: string;
  readonly reason: string;
}

/** A build whose release has not ended; everything it pushed is kept. */
export interface ProtectedBuild {
  /** As `buildMark` gives it. */
  readonly build: string;
  readonly reason: string;
}

export interface RetentionInput {
  readonly observation: RepositoryObservation;
  readonly protections: readonly Protection[];
  readonly protectedBuilds: readonly ProtectedBuild[];
  readonly policy: RetentionPolicy;
}

export interface RetentionPlan {
  readonly repository: string;
  readonly delete: readonly Deletion[];
  readonly keep: readonly Keeping[];
}

export interface Deletion {
  readonly digest: string;
  /** Every tag on the digest; all of them go with it. */
  readonly tags: readonly string[];
  readonly reason: string;
}

export interface Keeping {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly reasons: readonly string[];
}

interface Image {
  readonly digest: string;
  readonly stored: StoredDigest | undefined;
  readonly tags: readonly { readonly name: string; readonly meaning: ImageTag }[];
  /** Time of the last push that is known, else of the making; undefined when neither is. */
  readonly date: string | undefined;
}

/**
 * Plans one repository. Kept is: what is protected, the newest `keepReleases` releases, what is younger than the grace
 * period or of unknown age, what has a tag without a rule, every child of an index that is kept, and every attachment
 * (`sha256-<hex>`) of a digest that is not deleted. Manifests without a tag are left alone: nobody can list them.
 */
export function planRetention(input: RetentionInput): RetentionPlan {
  const { observation, policy } = input;
  const images = imagesOf(observation);
  const newest = newestReleases(images, policy.keepReleases);
  const reasons = new Map(
    images.map((image) => [image.digest, [...protectionReasons(image, input), ...ownReasons(image, policy, newest)]]),
  );
  spreadOverRelations(images, reasons);
  const sorted = [...images].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  const isKept = (image: Image) => (reasons.get(image.digest)?.length ?? 0) > 0;
  return {
    repository: observation.repository,
    delete: sorted
      .filter((image) => !isKept(image))
      .map((image) => ({ digest: image.digest, tags: names(image), reason: deletionReason(image, policy) })),
    keep: sorted
      .filter(isKept)
      .map((image) => ({ digest: image.digest, tags: names(image), reasons: reasons.get(image.digest) ?? [] })),
  };
}

function imagesOf(observation: RepositoryObservation): Image[] {
  const stored = new Map(observation.digests.map((digest) => [digest.digest, digest]));
  const digests = [...new Set([...stored.keys(), ...observation.tags.map((tag) => tag.digest)])];
  const namesByDigest = Map.groupBy(observation.tags, (tag) => tag.digest);
  return digests.map((digest) => {
    const tags = [...new Set((namesByDigest.get(digest) ?? []).map((tag) => tag.tag))]
      .sort()
      .map((name) => ({ name, meaning: readTag(name) }));
    const pushes = tags.flatMap(({ meaning }) => (meaning.kind === 'candidate' ? [meaning.pushedAt] : []));
    return { digest, stored: stored.get(digest), tags, date: latest([...pushes, stored.get(digest)?.createdAt]) };
  });
}

function latest(dates: readonly (string | undefined)[]): string | undefined {
  const times = dates
    .map((date) => (date === undefined ? Number.NaN : Date.parse(date)))
    .filter((t) => !Number.isNaN(t));
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}

/** The release tags that stay: newest first by date, then by version, since a rebuilt image may share its date. */
function newestReleases(images: readonly Image[], keep: number): ReadonlySet<string> {
  const releases = images.flatMap((image) =>
    image.tags.flatMap(({ name, meaning }) =>
      meaning.kind === 'release' ? [{ name, version: meaning.version, date: image.date ?? '' }] : [],
    ),
  );
  releases.sort((a, b) => (a.date === b.date ? compareVersions(b.version, a.version) : a.date < b.date ? 1 : -1));
  return new Set(releases.slice(0, keep).map((release) => release.name));
}

function protectionReasons(image: Image, { protections, protectedBuilds }: RetentionInput): string[] {
  const own = protections.filter((protection) => protection.digest === image.digest);
  const builds = protectedBuilds.filter((protectedBuild) =>
    image.tags.some(({ meaning }) => meaning.kind === 'candidate' && meaning.build === protectedBuild.build),
  );
  return [...new Set([...own, ...builds].map((protection) => protection.reason))];
}

function ownReasons(image: Image, policy: RetentionPolicy, newest: ReadonlySet<string>): string[] {
  const reasons: string[] = [];
  for (const { name, meaning } of image.tags) {
    if (newest.has(name)) reasons.push(`${name} is one of the ${policy.keepReleases} newest releases`);
    if (meaning.kind === 'other') reasons.push(`no rule lets the tag ${name} go`);
  }
  if (image.tags.length === 0) reasons.push('it has no tag');
  if (isAttachment(image)) return reasons;
  if (image.date === undefined) reasons.push('its age is unknown');
  else if (Date.parse(image.date) > Date.parse(policy.now) - policy.graceSeconds * 1000) {
    reasons.push(`it is younger than ${policy.graceSeconds} s`);
  }
  return reasons;
}

/** True for what lives and dies with other digests: its own age says nothing. */
function isAttachment(image: Image): boolean {
  return image.tags.length > 0 && image.tags.every(({ meaning }) => meaning.kind === 'attachment');
}

/** Children of kept indexes and attachments of digests that stay are kept too, and so on until nothing changes. */
function spreadOverRelations(images: readonly Image[], reasons: Map<string, string[]>): void {
  // A digest that was not observed counts as kept: nothing here deletes it.
  const kept = (digest: string) => reasons.get(digest)?.length !== 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (const image of images) {
      if (kept(image.digest)) {
        for (const child of image.stored?.children ?? []) {
          if (kept(child)) continue;
          reasons.get(child)?.push(`the index ${image.digest} that is kept needs it`);
          changed = true;
        }
      } else {
        const subject = image.tags
          .flatMap(({ meaning }) => (meaning.kind === 'attachment' ? [meaning.subject] : []))
          .find(kept);
        if (subject === undefined) continue;
        reasons.get(image.digest)?.push(`it belongs to ${subject}, which is not deleted`);
        changed = true;
      }
    }
  }
}

function deletionReason(image: Image, policy: RetentionPolicy): string {
  if (isAttachment(image)) return 'what it belongs to is deleted';
  return image.tags.some(({ meaning }) => meaning.kind === 'release')
    ? `it is none of the ${policy.keepReleases} newest releases and nothing needs it`
    : 'it was never released and nothing needs it';
}

function names(image: Image): string[] {
  return image.tags.map(({ name }) => name);
}
