import { describe, expect, it } from '@jest/globals';
import { DeadlineError, until } from './until.ts';

describe('until', () => {
  it('returns what the first try that does not throw returns', async () => {
    let tries = 0;
    const result = await until(
      'the third try',
      () => {
        tries += 1;
        if (tries < 3) {
          throw new Error('not yet');
        }
        return tries;
      },
      { withinMs: 10_000, everyMs: 1 },
    );
    expect(result).toBe(3);
  });

  it('says at its deadline what it waited for and why the last try failed', async () => {
    const waiting = until('the tide', () => Promise.reject(new Error('it is out')), { withinMs: 0 });
    await expect(waiting).rejects.toThrow(DeadlineError);
    await expect(waiting).rejects.toThrow('waited 0 ms for the tide: it is out');
  });
});
