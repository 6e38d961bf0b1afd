import { afterAll, beforeAll, expect } from '@jest/globals';
import type { ProfileName } from '../../../cell/marathon/profile.ts';
import { RELEASE_OF } from './deviations.ts';
import { TypeCheck } from './type-check.ts';

/**
 * Holds every JSON answer that a Marathon gives to `fetch` to the type of its route, for as long as the suite around
 * runs; the suite fails at its end with all that was not right. Does nothing where the types can't be read.
 */
export function checkAnswers(profile: ProfileName): void {
  const plain = globalThis.fetch;
  const check = new TypeCheck(RELEASE_OF[profile]);

  beforeAll(() => {
    globalThis.fetch = async (input, init) => {
      const answer = await plain(input, init);
      const type = answer.headers.get('content-type');
      if (answer.headers.has('x-marathon-leader') && type?.startsWith('application/json')) {
        const text = await answer.clone().text();
        const call = { method: init?.method ?? 'GET', path: new URL(answer.url).pathname, status: answer.status };
        check.answer(call, type, text === '' ? undefined : JSON.parse(text));
      }
      return answer;
    };
  });

  afterAll(() => {
    globalThis.fetch = plain;
    expect(check.breaches).toEqual([]);
  });
}
