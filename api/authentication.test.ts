import { describe, expect, it } from '@jest/globals';
import { authenticateBy } from './authentication.ts';

const authenticate = authenticateBy([
  { name: 'ann', token: 'token-of-ann' },
  { name: 'bob', token: 'token-of-bob' },
]);

describe('bearer tokens', () => {
  it.each([
    ['Bearer token-of-ann', 'ann'],
    ['bearer  token-of-bob ', 'bob'],
    ['Bearer token-of-', undefined],
    ['Bearer token-of-annn', undefined],
    ['Bearer ', undefined],
    ['Basic token-of-ann', undefined],
    ['token-of-ann', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %s', (header, holder) => {
    expect(authenticate(header)).toBe(holder);
  });
});
