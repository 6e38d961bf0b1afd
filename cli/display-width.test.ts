import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth, harmless, harmlessLine, padded, truncate, wrapped } from './display-width.ts';

describe('the width of text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['中文', 4],
    ['a中b', 4],
    ['（）', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['🚀', 2],
    ['✓ ok', 4],
    ['│ ├ └', 5],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('fits after truncating, and keeps what fits already', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '中', '🚀', 'e\u0301', ' ') });
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 20 }), (value, columns) => {
        const cut = truncate(value, columns);
        expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
        if (displayWidth(value) <= columns) expect(cut).toBe(value);
        expect(displayWidth(padded(value, columns))).toBe(Math.max(columns, displayWidth(value)));
      }),
    );
  });

  it('fits after wrapping, and nothing is lost', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '中', '🚀', 'e\u0301', ' ') });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 20 }), (value, columns) => {
        const lines = wrapped(value, columns);
        expect(lines.join('')).toBe(value);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
    expect(wrapped('abcdef', 4)).toEqual(['abcd', 'ef']);
    expect(wrapped('', 4)).toEqual(['']);
  });

  it('cuts with an ellipsis', () => {
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(truncate('中文字', 4)).toBe('中…');
  });
});

describe('harmless text', () => {
  it('has nothing that a terminal obeys', () => {
    expect(harmlessLine('  a\u001b[2Jb\t ')).toBe('  a [2Jb');
    expect(harmless('a\u001b[2Jb\r\nc\u202ed\u009b5m')).toBe('a [2Jb c d 5m');
  });
});
