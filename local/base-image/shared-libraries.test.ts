import { describe, expect, it } from '@jest/globals';
import { parseLdd } from './shared-libraries.ts';

describe('parseLdd', () => {
  it('takes libraries and the loader, and leaves the kernel page out', () => {
    const answer = [
      '\tlinux-vdso.so.1 (0x00007ffd8a5c5000)',
      '\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f2d3c1b8000)',
      '\tlibstdc++.so.6 => /usr/lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f2d3be00000)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f2d3c1c5000)',
    ].join('\n');
    expect(parseLdd(answer)).toEqual([
      '/lib/x86_64-linux-gnu/libdl.so.2',
      '/usr/lib/x86_64-linux-gnu/libstdc++.so.6',
      '/lib64/ld-linux-x86-64.so.2',
    ]);
  });

  it('fails for a library that is not there', () => {
    expect(() => parseLdd('\tlibatomic.so.1 => not found')).toThrow('libatomic.so.1');
  });
});
