import { describe, expect, it } from '@jest/globals';
import { integer, line, type Point } from './line-protocol.ts';

const point = (more: Partial<Point> = {}): Point => ({
  measurement: 'm',
  tags: { a: 'b' },
  fields: { f: 1.5 },
  second: 1_700_000_000,
  ...more,
});

describe('line', () => {
  it.each<[string, Partial<Point>, string]>([
    ['floats', {}, 'm,a=b f=1.5 1700000000'],
    ['integers', { fields: { n: integer(7), f: 7 } }, 'm,a=b n=7i,f=7 1700000000'],
    ['tags in the order of their keys', { tags: { z: '1', a: '2' } }, 'm,a=2,z=1 f=1.5 1700000000'],
    ['no tags', { tags: {} }, 'm f=1.5 1700000000'],
    ['separators in tags', { tags: { 'k =,': 'v =,' } }, 'm,k\\ \\=\\,=v\\ \\=\\, f=1.5 1700000000'],
    ['separators in the measurement', { measurement: 'a b,c=d' }, 'a\\ b\\,c=d,a=b f=1.5 1700000000'],
    ['a backslash inside', { tags: { a: 'b\\c' } }, 'm,a=b\\c f=1.5 1700000000'],
  ])('writes %s', (_name, more, text) => {
    expect(line(point(more))).toBe(text);
  });

  it.each<[string, Partial<Point>]>([
    ['no field', { fields: {} }],
    ['not a number', { fields: { f: Number.NaN } }],
    ['infinity', { fields: { f: Number.POSITIVE_INFINITY } }],
    ['half an integer', { fields: { f: integer(0.5) } }],
    ['an integer that a number can not hold', { fields: { f: integer(2 ** 60) } }],
    ['an empty tag', { tags: { a: '' } }],
    ['a backslash at the end', { tags: { a: 'b\\' } }],
    ['a line break', { tags: { a: 'b\nc' } }],
    ['half a second', { second: 1.5 }],
  ])('refuses %s, which InfluxDB would drop', (_name, more) => {
    expect(() => line(point(more))).toThrow(RangeError);
  });
});
