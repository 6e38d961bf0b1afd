import { describe, expect, it } from '@jest/globals';
import { parseMirrorAddress } from './apt-lists.ts';

describe('parseMirrorAddress', () => {
  it("takes Debian's own main archive, not its security archive or somebody else's", () => {
    const lines = [
      'Docker|stable|https://download.example/linux/debian/',
      'Debian-Security|main|http://mirror.example/debian-security/',
      'Debian|contrib|http://other.example/debian/',
      'Debian|main|http://mirror.example/debian/',
    ].join('\n');
    expect(parseMirrorAddress(lines)).toBe('http://mirror.example/debian');
  });

  it('knows none while the lists are empty', () => {
    expect(parseMirrorAddress('')).toBeUndefined();
  });
});
