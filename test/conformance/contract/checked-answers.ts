import { afterAll, beforeAll, expect } from '@jest/globals';
import type { ProfileName } from '../../../cell/marathon/profile.ts';
import { marathonContract } from './contract.ts';
import { RELEASE_OF, unexcused } from './deviations.ts';

/**
 * Holds every JSON answer that a Marathon gives to `fetch` to the type of its route, for as long as the suite around
 * runs; the suite fails at its end with all that was not right. Does nothing where the types can't be read.
 */
export function checkAnswers(profile: ProfileName): void {
  const contract = marathonContract();
  if (!contract) return;
  const plain = globalThis.fetch;
  const breaches = new Set<string>();

  beforeAll(() => {
    globalThis.fetch = async (input, init) => {
      const answer = await plain(input, init);
      const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
      if (answer.headers.has('x-marathon-leader') && isJson) {
        const text = await answer.clone().text();
        const method = init?.method ?? 'GET';
        const { pathname } = new URL(answer.url);
        const found =
          text === '' ? [] : contract.answer({ method, path: pathname, status: answer.status }, JSON.parse(text));
        for (const breach of unexcused(found, RELEASE_OF[profile])) breaches.add(`${method} ${pathname}: ${breach}`);
      }
      return answer;
    };
  });

  afterAll(() => {
    globalThis.fetch = plain;
    expect([...breaches]).toEqual([]);
  });
}
/** What is not right about events of the stream; nothing where the types can't be read. */
export function eventBreaches(
  events: readonly Readonly<Record<string, unknown>>[],
  profile: ProfileName,
): readonly string[] {
  const contract = marathonContract();
  if (!contract) return [];
  return [...new Set(events.flatMap((event) => unexcused(contract.event(event), RELEASE_OF[profile])))];
}
