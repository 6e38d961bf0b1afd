import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogTail, tailOf } from './log-tail.ts';

describe('tailOf', () => {
  it('keeps the last 100 lines', () => {
    const lines = Array.from({ length: 250 }, (_, index) => `line ${index}`);
    expect(tailOf(`${lines.join('\n')}\n`).split('\n')).toEqual(lines.slice(150));
  });

  it('keeps whole lines of at most 16 KiB', () => {
    const tail = tailOf(Array.from({ length: 50 }, (_, index) => `${index} ${'x'.repeat(1000)}`).join('\n'));
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(16 * 1024);
    expect(tail.split('\n')).toHaveLength(16);
    expect(tail).toMatch(/^34 x/);
  });

  it('cuts a single line that is too long at its front', () => {
    const tail = tailOf(`${'ä'.repeat(20_000)}end`);
    expect(tail).toMatch(/^\.\.\.ä+end$/);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(16 * 1024);
  });
});

describe('LogTail', () => {
  it('has the same end however the text was cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 60 }), (chunks) => {
        const tail = new LogTail();
        for (const chunk of chunks) for (const byte of Buffer.from(`${chunk}\n`)) tail.add(Buffer.from([byte]));
        expect(tail.text()).toBe(tailOf(chunks.map((chunk) => `${chunk}\n`).join('')));
      }),
      { numRuns: 30 },
    );
  });
});
