import { describe, expect, it } from '@jest/globals';
import { diffConfig } from './config-diff.ts';

describe('diffConfig', () => {
  it.each<[string, string | undefined, string, { added?: string[]; removed?: string[]; changed?: string[] }]>([
    ['equal texts', 'a: 1', 'a: 1', {}],
    ['a first version', undefined, 'a: 1\nb=2', { added: ['a', 'b'] }],
    ['lines', 'A=1\nB=2\nC=3', '# new\nA=1\nB=3\nD=4', { added: ['D'], removed: ['C'], changed: ['B'] }],
    [
      'what stands under a key',
      'db:\n  host: a\n  port: 1\nlog: x',
      'db:\n  host: b\n  port: 1\nlog: x',
      { changed: ['db'] },
    ],
    [
      'leaves of JSON',
      '{"a":{"b":1,"c":[1]},"d":{}}',
      '{"a":{"b":1,"c":[2],"e":"x"}}',
      { added: ['a.e'], removed: ['d'], changed: ['a.c'] },
    ],
    ['JSON whose keys only moved', '{"a":1,"b":2}', '{ "b": 2, "a": 1 }', {}],
    ['texts without keys', 'some words', 'other words', { changed: ['(text)'] }],
    ['a value that looks like a key', 'A=b=c', 'A=b=d', { changed: ['A'] }],
  ])('of %s', (_, before, after, { added = [], removed = [], changed = [] }) => {
    expect(diffConfig(before, after)).toEqual({ added, removed, changed });
  });

  it('names a hundred keys of a kind, and counts the others', () => {
    const text = Array.from({ length: 103 }, (_, index) => `k${index + 100}: 1`).join('\n');
    const { added } = diffConfig(undefined, text);
    expect([added.length, added.at(-2), added.at(-1)]).toEqual([101, 'k199', '(3 more)']);
  });

  it('never shows a value', () => {
    const said = JSON.stringify(diffConfig('PASSWORD=hunter1', 'PASSWORD=hunter2\nTOKEN=geheim'));
    expect(said).toBe('{"added":["TOKEN"],"removed":[],"changed":["PASSWORD"]}');
  });
});
