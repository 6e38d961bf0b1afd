import { expect, it } from '@jest/globals';
import { Separations } from './separations.ts';

it('brings an agent back when the last cause has ended, whatever their order', () => {
  const separations = new Separations<string>();
  separations.add('a', 'engine');
  separations.add('a', 'partition');
  separations.add('a', 'partition');
  expect([separations.has('a'), separations.has('b')]).toEqual([true, false]);
  expect(separations.end('a', 'engine')).toBe(false);
  expect(separations.has('a')).toBe(true);
  expect(separations.end('a', 'partition')).toBe(true);
  expect(separations.has('a')).toBe(false);
  expect(separations.end('b', 'engine')).toBe(true);
});
