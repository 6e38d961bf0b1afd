import { describe, expect, it } from '@jest/globals';
import { doctorReport } from '../doctor.ts';
import { type Check, runChecks, Wrong } from './check.ts';

const check = (run: Check['run']): Check => ({ system: 'Consul', address: 'there', advice: 'start it', run });

describe('running checks', () => {
  it('tells what answered and what is wrong, in the order asked, whichever is faster', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const running = runChecks([
      check(() => promise),
      check(async () => {
        resolve('1.8.7');
        throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
      }),
      check(() => Promise.reject(new Wrong('no leader', 'elect one'))),
    ]);
    expect(await running).toEqual([
      { system: 'Consul', address: 'there', state: 'ok', said: '1.8.7' },
      { system: 'Consul', address: 'there', state: 'wrong', said: 'connect ECONNREFUSED', advice: 'start it' },
      { system: 'Consul', address: 'there', state: 'wrong', said: 'no leader', advice: 'elect one' },
    ]);
  });

  it('gives up on what never answers, and tells it so', async () => {
    let told: unknown;
    const silent = check((signal) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return new Promise(() => undefined);
    });
    expect(await runChecks([silent], 20)).toMatchObject([{ state: 'wrong', said: 'no answer within 0.02 s' }]);
    expect(told).toBeInstanceOf(Error);
  });
});

describe('the report', () => {
  it('is a table, then what is wrong in whole sentences, then the count', () => {
    const lines = doctorReport(
      [
        { system: 'Consul', address: 'there', state: 'ok', said: '1.8.7' },
        { system: 'Registry', address: 'here', state: 'wrong', said: 'x'.repeat(100), advice: 'start it' },
        { system: 'Chat', address: 'away', state: 'not checked', said: 'a call would be a message' },
      ],
      60,
    );
    expect(lines).toEqual([
      'STATE          SYSTEM    ADDRESS  ANSWER',
      '✓ ok           Consul    there    1.8.7',
      `✗ wrong        Registry  here     ${'x'.repeat(25)}…`,
      '– not checked  Chat      away     a call would be a message',
      '',
      `Registry at here: ${'x'.repeat(100)}`,
      '  start it',
      '',
      '1 of 2 answer as they should',
    ]);
  });
});
