import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256Digest } from '../digest.ts';
import { buildMark, candidateTag, readTag } from '../image-tag.ts';
import type { RepositoryObservation } from './observation.ts';
import { planRetention, type RetentionInput } from './plan.ts';

const NOW = '2026-06-30T12:00:00.000Z';
const OLD = '2026-01-01T00:00:00.000Z';
const policy = { keepReleases: 1, graceSeconds: 3600, now: NOW };
const digest = sha256Digest;

function observe(
  images: Record<string, { tags: string[]; createdAt?: string; children?: string[] }>,
): RepositoryObservation {
  return {
    repository: 'sample',
    tags: Object.entries(images).flatMap(([name, image]) => image.tags.map((tag) => ({ tag, digest: digest(name) }))),
    digests: Object.entries(images).map(([name, image]) => ({
      digest: digest(name),
      createdAt: image.createdAt ?? OLD,
      bytes: 1,
      children: (image.children ?? []).map(digest),
    })),
  };
}

function plan(images: Parameters<typeof observe>[0], input: Partial<RetentionInput> = {}) {
  return planRetention({ observation: observe(images), protections: [], protectedBuilds: [], policy, ...input });
}

const deletedTags = (result: ReturnType<typeof plan>) => result.delete.flatMap((deletion) => deletion.tags);

describe('planRetention', () => {
  it('keeps the newest releases and lets older ones go', () => {
    const result = plan({
      a: { tags: ['v1.0.0'], createdAt: '2026-01-01T00:00:00Z' },
      b: { tags: ['v1.1.0'], createdAt: '2026-02-01T00:00:00Z' },
    });
    expect(result.delete).toEqual([
      {
        digest: digest('a'),
        tags: ['v1.0.0'],
        reason: 'it is none of the 1 newest releases and nothing needs it',
      },
    ]);
    expect(result.keep).toEqual([
      { digest: digest('b'), tags: ['v1.1.0'], reasons: ['v1.1.0 is one of the 1 newest releases'] },
    ]);
  });

  it('tells the newest by the time of the push, not by the time of making: a revert builds from the cache', () => {
    const result = plan({
      a: { tags: ['v1.0.0', 'v1.0.2', candidateTag('2026-03-01T00:00:00Z', 'build/sample/3')], createdAt: OLD },
      b: {
        tags: ['v1.0.1', candidateTag('2026-02-01T00:00:00Z', 'build/sample/2')],
        createdAt: '2026-02-01T00:00:00Z',
      },
    });
    expect(deletedTags(result).sort()).toEqual([expect.stringMatching(/^build-20260201/), 'v1.0.1']);
  });

  it('compares versions of equal dates', () => {
    expect(deletedTags(plan({ a: { tags: ['v1.9.0'] }, b: { tags: ['v1.10.0'] } }))).toEqual(['v1.9.0']);
  });

  it('keeps a digest for any one of its tags', () => {
    expect(plan({ a: { tags: ['v1.0.0', 'customer-x'] }, b: { tags: ['v1.1.0'] } }).delete).toEqual([]);
  });

  it('keeps what runs, with the reason', () => {
    const protections = [{ digest: digest('a'), reason: 'runs in prod as r1' }];
    const result = plan({ a: { tags: ['v1.0.0'] }, b: { tags: ['v1.1.0'] } }, { protections });
    expect(result.delete).toEqual([]);
    expect(result.keep.find((keeping) => keeping.digest === digest('a'))?.reasons).toEqual(['runs in prod as r1']);
  });

  it('keeps what the build of a running release pushed', () => {
    const tag = candidateTag(OLD, 'build/sample/1');
    const protectedBuilds = [{ build: buildMark('build/sample/1'), reason: 'release/sample/1 runs' }];
    expect(deletedTags(plan({ a: { tags: [tag] } }))).toEqual([tag]);
    expect(plan({ a: { tags: [tag] } }, { protectedBuilds }).keep[0]?.reasons).toEqual(['release/sample/1 runs']);
  });

  it('keeps what is young, also an old image that was pushed again lately', () => {
    expect(plan({ a: { tags: [candidateTag('2026-06-30T11:30:00Z', 'build/sample/1')] } }).delete).toEqual([]);
    const made = { tags: ['v1.0.0'], createdAt: '2026-06-30T11:30:00Z' };
    expect(plan({ made, newer: { tags: ['v1.0.1'], createdAt: NOW } }).delete).toEqual([]);
  });

  it('keeps children of an index that stays, and deletes attachments with what they belong to', () => {
    const attachment = (name: string) => digest(name).replace(':', '-');
    const result = plan({
      index: { tags: ['v1.1.0'], createdAt: '2026-02-01T00:00:00Z', children: ['child'] },
      child: { tags: [candidateTag(OLD, 'build/sample/1')] },
      gone: { tags: ['v1.0.0'] },
      signatureOfGone: { tags: [`${attachment('gone')}.sig`], createdAt: NOW },
      signatureOfChild: { tags: [`${attachment('child')}.sig`] },
      signatureOfUnknown: { tags: [`${attachment('unknown')}.sig`] },
    });
    expect(deletedTags(result).sort()).toEqual([`${attachment('gone')}.sig`, 'v1.0.0'].sort());
  });
});

const DIGESTS = ['a', 'b', 'c', 'd', 'e', 'f'];
const tagArbitrary = fc.oneof(
  fc.tuple(fc.nat(3), fc.nat(3)).map(([major, minor]) => `v${major}.${minor}.0`),
  fc
    .tuple(fc.date({ min: new Date('2026-06-30T09:00:00Z'), max: new Date(NOW), noInvalidDate: true }), fc.nat(4))
    .map(([at, build]) => candidateTag(at.toISOString(), `build/sample/${build}`)),
  fc.constantFrom(...DIGESTS).map((name) => `${digest(name).replace(':', '-')}.sig`),
  fc.constantFrom('latest', 'stable'),
);
const inputArbitrary: fc.Arbitrary<RetentionInput> = fc.record({
  observation: fc.record({
    repository: fc.constant('sample'),
    tags: fc.uniqueArray(fc.record({ tag: tagArbitrary, digest: fc.constantFrom(...DIGESTS).map(digest) }), {
      selector: (tag) => tag.tag,
      maxLength: 14,
    }),
    digests: fc.uniqueArray(
      fc.record(
        {
          digest: fc.constantFrom(...DIGESTS).map(digest),
          createdAt: fc.constantFrom(OLD, '2026-06-30T11:59:00.000Z', 'never'),
          bytes: fc.nat(),
          children: fc.array(fc.constantFrom(...DIGESTS, 'z').map(digest), { maxLength: 2 }),
        },
        { requiredKeys: ['digest', 'bytes', 'children'] },
      ),
      { selector: (stored) => stored.digest },
    ),
  }),
  protections: fc.array(
    fc.record({ digest: fc.constantFrom(...DIGESTS).map(digest), reason: fc.constantFrom('runs', 'warm') }),
    { maxLength: 2 },
  ),
  protectedBuilds: fc.array(
    fc.nat(4).map((build) => ({ build: buildMark(`build/sample/${build}`), reason: 'builds' })),
    { maxLength: 1 },
  ),
  policy: fc.record({
    keepReleases: fc.integer({ min: 1, max: 3 }),
    graceSeconds: fc.constantFrom(0, 3600),
    now: fc.constant(NOW),
  }),
});

/** What any plan must hold, checked from the outside, without the planner's own words. */
describe('every plan', () => {
  const check = (property: (input: RetentionInput) => void) =>
    fc.assert(fc.property(inputArbitrary, property), { numRuns: 2000 });

  it('never deletes a protected digest, nor what a protected build pushed', () => {
    check((input) => {
      const deleted = planRetention(input).delete;
      for (const protection of input.protections) expect(deleted.map((d) => d.digest)).not.toContain(protection.digest);
      const builds = input.protectedBuilds.map((protectedBuild) => protectedBuild.build);
      for (const tag of deleted.flatMap((d) => d.tags)) expect(builds.some((build) => tag.endsWith(build))).toBe(false);
    });
  });

  it('names every tag that goes: no tag of a deleted digest is outside the plan', () => {
    check((input) => {
      for (const deletion of planRetention(input).delete) {
        const tags = input.observation.tags.filter((tag) => tag.digest === deletion.digest).map((tag) => tag.tag);
        expect([...deletion.tags].sort()).toEqual(tags.sort());
        expect(tags.length).toBeGreaterThan(0);
      }
    });
  });

  it('never deletes a tag that no rule knows', () => {
    check((input) => {
      const tags = planRetention(input).delete.flatMap((deletion) => deletion.tags);
      expect(tags.filter((tag) => readTag(tag).kind === 'other')).toEqual([]);
    });
  });

  it('leaves at least the asked number of releases, if there are so many', () => {
    check((input) => {
      const releases = input.observation.tags.filter((tag) => readTag(tag.tag).kind === 'release').length;
      const kept = planRetention(input).keep.flatMap((keeping) => keeping.tags);
      const keptReleases = kept.filter((tag) => readTag(tag).kind === 'release').length;
      expect(keptReleases).toBeGreaterThanOrEqual(Math.min(releases, input.policy.keepReleases));
    });
  });

  it('never deletes a child of an index that stays', () => {
    check((input) => {
      const result = planRetention(input);
      const kept = new Set(result.keep.map((keeping) => keeping.digest));
      const needed = input.observation.digests.filter((d) => kept.has(d.digest)).flatMap((d) => d.children);
      for (const deletion of result.delete) expect(needed).not.toContain(deletion.digest);
    });
  });

  it('decides over every digest once, and is content with its own result', () => {
    check((input) => {
      const result = planRetention(input);
      const all = [...result.delete, ...result.keep].map((entry) => entry.digest);
      const observed = [...input.observation.tags, ...input.observation.digests].map((entry) => entry.digest);
      expect([...all].sort()).toEqual([...new Set(observed)].sort());
      const gone = new Set(result.delete.map((deletion) => deletion.digest));
      const rest = {
        repository: input.observation.repository,
        tags: input.observation.tags.filter((tag) => !gone.has(tag.digest)),
        digests: input.observation.digests.filter((stored) => !gone.has(stored.digest)),
      };
      expect(planRetention({ ...input, observation: rest }).delete).toEqual([]);
    });
  });

  it('does not depend on the order in which things were observed', () => {
    check((input) => {
      const { observation } = input;
      const reversed = {
        repository: observation.repository,
        tags: [...observation.tags].reverse(),
        digests: [...observation.digests].reverse(),
      };
      expect(planRetention({ ...input, observation: reversed }).delete).toEqual(planRetention(input).delete);
    });
  });
});
