import { describe, expect, it } from '@jest/globals';
import { flatAttributes, parseAttributes } from './attributes.ts';
import { wireJson } from './wire-json.ts';

describe('attributes', () => {
  it.each([
    ['env:fat', { env: 'fat' }],
    ['env:fat;rack:r1', { env: 'fat', rack: 'r1' }],
    [' env : fat ; ', { env: 'fat' }],
    ['a:1.5', { a: 1.5 }],
    ['rack:2', { rack: 2 }],
    ['span:[1-3]', { span: '[1-3]' }],
    ['span:[1-3,5-9]', { span: '[1-3, 5-9]' }],
    ['url:http://x', { url: 'http://x' }],
    ['v:1.2.3', { v: '1.2.3' }],
    ['', {}],
  ])('reads %j', (text, flat) => {
    expect(JSON.parse(wireJson(flatAttributes(parseAttributes(text))))).toEqual(flat);
  });

  it.each([
    ['env:fat', 'TEXT'],
    ['num:3', 'SCALAR'],
    ['span:[1-3]', 'RANGES'],
  ])('types %j as %s', (text, type) => {
    expect(parseAttributes(text)[0]?.type).toBe(type);
  });

  it.each(['env', ':fat', 'env:'])('refuses %j', (text) => {
    expect(() => parseAttributes(text)).toThrow(/is not name:value/);
  });
});
