import { describe, expect, it } from '@jest/globals';
import type { FreezeScope } from './freeze.ts';
import { refuseScope, refuseWord } from './word.ts';

describe('refuseWord', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a whole word', { by: 'ann', reason: 'lunch' }, undefined],
    ['no reason', { by: 'ann' }, 'reason: say why'],
    ['an empty reason', { by: 'ann', reason: ' ' }, 'reason: say why'],
    ['nobody', { by: '', reason: 'lunch' }, 'by: say who you are'],
    ['numbers', { by: 1, reason: 2 }, 'by: say who you are; reason: say why'],
    ['nothing', undefined, 'by: say who you are; reason: say why'],
    ['a text', 'ann', 'by: say who you are; reason: say why'],
    ['a list', [], 'by: say who you are; reason: say why'],
  ])('%s', (_, word, message) => {
    const refusal = message === undefined ? undefined : { type: 'RequestInvalid', message };
    expect(refuseWord(word, 'by', 'reason')).toEqual(refusal);
  });
});

describe('refuseScope', () => {
  it.each<[unknown, boolean]>([
    [{}, false],
    [{ environment: 'prod' }, false],
    [{ environment: 'prod', service: 'sample' }, false],
    [undefined, true],
    [[], true],
    [{ server: 'a' }, true],
    [{ service: 1 }, true],
  ])('%j', (scope, refused) => {
    expect(refuseScope(scope as FreezeScope)?.type).toBe(refused ? 'RequestInvalid' : undefined);
  });
});
