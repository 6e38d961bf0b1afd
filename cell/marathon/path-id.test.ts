import { describe, expect, it } from '@jest/globals';
import { hostName, isBelow, isPathId, lastSegment, parentPath, resolvePath, safePath } from './path-id.ts';

describe('path ids', () => {
  it.each(['/a', 'a', '/a/b-c/d.e', '../a', '/prod/web/r12', '/', '//a//b/', '0'])('takes %s', (id) => {
    expect(isPathId(id)).toBe(true);
  });

  it.each(['', '/A', '/a_b', '/a b', '/-a', '/a-', '/a..b', '/a.', '/.', `${'/'.repeat(1000)}_`])(
    'refuses %j',
    (id) => {
      expect(isPathId(id)).toBe(false);
    },
  );

  it.each([
    ['a', '/', '/a'],
    ['a', '/g', '/g/a'],
    ['/a', '/g', '/a'],
    ['../a', '/g/h', '/g/a'],
    ['./a', '/g', '/g/a'],
    ['//a/b/', '/', '/a/b'],
    ['', '/', '/'],
  ])('resolves %j from %s to %s', (id, base, expected) => {
    expect(resolvePath(id, base)).toBe(expected);
  });

  it('takes ids apart', () => {
    expect([parentPath('/a/b'), parentPath('/a')]).toEqual(['/a', '/']);
    expect(lastSegment('/a/b')).toBe('b');
    expect([isBelow('/a/b', '/a'), isBelow('/ab', '/a'), isBelow('/a', '/a'), isBelow('/a', '/')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(safePath('/a/b.c')).toBe('a_b.c');
    expect(hostName('/a/b')).toBe('b.a');
  });
});
