import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { buildMark, candidateTag, compareVersions, readTag, releaseTag } from './image-tag.ts';

const hex = 'ab'.repeat(32);

describe('image tags', () => {
  it('reads what it writes', () => {
    const id = 'build/sample/4711';
    const tag = candidateTag('2026-01-31T23:59:59.987Z', id);
    expect(tag).toMatch(/^build-20260131T235959Z-[0-9a-f]{12}$/);
    expect(readTag(tag)).toEqual({ kind: 'candidate', pushedAt: '2026-01-31T23:59:59Z', build: buildMark(id) });
    expect(readTag(releaseTag('1.2.0-rc.1'))).toEqual({ kind: 'release', version: '1.2.0-rc.1' });
  });

  it('gives a tag that a registry takes, for any workflow id', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        (id, at) => {
          expect(candidateTag(at.toISOString(), id)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
        },
      ),
    );
  });

  it.each([
    [`sha256-${hex}`, { kind: 'attachment', subject: `sha256:${hex}` }],
    [`sha256-${hex}.sig`, { kind: 'attachment', subject: `sha256:${hex}` }],
    ['sha256-short', { kind: 'other' }],
    ['latest', { kind: 'other' }],
    ['v2', { kind: 'other' }],
    ['build-20261399T000000Z-0123456789ab', { kind: 'other' }],
  ])('reads %s', (tag, expected) => {
    expect(readTag(tag)).toEqual(expected);
  });

  it('orders versions as semver.org shows', () => {
    const ordered = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.9.0',
      '1.10.0',
      '2.0.0',
    ];
    expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
  });
});
