import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bundleOf } from './bundle.ts';

const content = {
  service: 'sample',
  version: '1.2.0',
  commit: '0123456789abcdef0123456789abcdef01234567',
  image: { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` },
  testImages: {},
  configVersion: 3,
  manifestDigest: `sha256:${'b'.repeat(64)}`,
};

describe('bundleOf', () => {
  it('names the bundle by the SHA-256 of its canonical JSON', () => {
    const canonical =
      `{"commit":"${content.commit}","configVersion":3,` +
      `"image":{"digest":"${content.image.digest}","repository":"sample"},` +
      `"manifestDigest":"${content.manifestDigest}","service":"sample","testImages":{},"version":"1.2.0"}`;
    const hex = createHash('sha256').update(canonical).digest('hex');
    expect(bundleOf(content)).toEqual({ id: `b-${hex.slice(0, 16)}`, ...content });
  });

  it('gives equal content equal ids, whatever the order of the fields, and even from a whole bundle', () => {
    const reversed = Object.fromEntries(Object.entries(content).reverse()) as typeof content;
    expect(bundleOf(reversed).id).toBe(bundleOf(content).id);
    expect(bundleOf(bundleOf(content)).id).toBe(bundleOf(content).id);
  });

  it.each([
    ['service', { service: 'other' }],
    ['version', { version: '1.2.1' }],
    ['commit', { commit: 'f'.repeat(40) }],
    ['image', { image: { repository: 'sample', digest: `sha256:${'c'.repeat(64)}` } }],
    ['repository', { image: { ...content.image, repository: 'other' } }],
    ['configVersion', { configVersion: 4 }],
    ['manifestDigest', { manifestDigest: `sha256:${'d'.repeat(64)}` }],
  ])('gives another id when %s differs', (_, difference) => {
    expect(bundleOf({ ...content, ...difference }).id).not.toBe(bundleOf(content).id);
  });
});
