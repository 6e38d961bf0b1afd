import { describe, expect, it } from '@jest/globals';
import { readIgnoreFile } from './ignore-file.ts';

/** Cases from moby/patternmatcher's own tests and from Docker's reference of the file. */
describe('readIgnoreFile', () => {
  it.each<[string, string, boolean]>([
    ['node_modules', 'node_modules', true],
    ['node_modules', 'node_modules/a/b.js', true],
    ['node_modules', 'src/node_modules/a', false],
    ['/node_modules/', 'node_modules/a', true],
    ['./node_modules', 'node_modules/a', true],
    ['**/node_modules', 'src/deep/node_modules/a', true],
    ['**/node_modules', 'node_modules/a', true],
    ['*.md', 'README.md', true],
    ['*.md', 'docs/README.md', false],
    ['**/*.md', 'docs/a/README.md', true],
    ['docs/**', 'docs/a/b', true],
    ['docs/**', 'docs', false],
    ['**', 'anything/at/all', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a[b-d]e', 'ace', true],
    ['a[^b-d]e', 'ace', false],
    ['a.c', 'abc', false],
    ['a\\*c', 'a*c', true],
    ['a\\*c', 'abc', false],
    ['# a comment\n\n  a  ', 'a', true],
    ['\uFEFFa', 'a', true],
    ['x/../a', 'a', true],
    ['*\n!src', 'src/main.js', false],
    ['*\n!src', 'test/main.js', true],
    ['*.md\n!README.md', 'README.md', false],
    ['!README.md\n*.md', 'README.md', true],
    ['dir\n!dir/keep', 'dir/keep', false],
    ['dir\n!dir/keep', 'dir/other', true],
    ['', 'a', false],
  ])('with %j, leaves out %j: %s', (text, path, ignored) => {
    expect(readIgnoreFile(text)(path)).toBe(ignored);
  });
});
