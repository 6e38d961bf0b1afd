import { describe, expect, it } from '@jest/globals';
import { isSet } from './exchange.ts';

describe('isSet', () => {
  it.each([
    ['force=true', true],
    ['force=True', true],
    ['force=TRUE', true],
    ['force=false', false],
    ['force=False', false],
    ['force=1', false],
    ['force', false],
  ])('reads %s as %s, whatever absence means', (query, set) => {
    const request = { query: new URLSearchParams(query) };
    expect([isSet(request, 'force'), isSet(request, 'force', true)]).toEqual([set, set]);
  });

  it('leaves it to the call what absence means', () => {
    const request = { query: new URLSearchParams('scale=true') };
    expect([isSet(request, 'force'), isSet(request, 'force', true)]).toEqual([false, true]);
  });
});
