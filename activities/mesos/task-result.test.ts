import { describe, expect, it } from '@jest/globals';
import { exitCodeOf } from './task-result.ts';

describe('exitCodeOf', () => {
  it.each([
    ['Command exited with status 0', 0],
    ['Container exited with status 137: out of memory', 137],
    ['Command terminated with signal Killed', undefined],
    [undefined, undefined],
  ])('%j', (message, code) => {
    expect(exitCodeOf(message)).toBe(code);
  });
});
