import { describe, expect, it } from '@jest/globals';
import { nestsDeeper } from './request-body.ts';

const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;

describe('how deep JSON nests', () => {
  it.each([
    ['nothing', '', 2, false],
    ['as deep as it may', nested(10), 10, false],
    ['deeper', nested(12), 10, true],
    ['side by side', `[${'[1],'.repeat(30)}[1]]`, 2, false],
    ['signs in a text', `["${'['.repeat(30)}"]`, 2, false],
    ['a text with quotes in it', `["\\"${'['.repeat(30)}\\\\"]`, 2, false],
    ['what never ends', '['.repeat(30), 10, true],
  ])('%s', (_what, text, levels, deeper) => {
    expect(nestsDeeper(text, levels)).toBe(deeper);
  });
});
