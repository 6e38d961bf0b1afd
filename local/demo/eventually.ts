import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 250;

/**
 * Asks until the answer fits.
 *
 * @throws Error at the deadline, with what was waited for and the last answer
 */
export async function eventually<T>(
  what: string,
  withinSeconds: number,
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
): Promise<T> {
  const deadline = performance.now() + withinSeconds * 1000;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${withinSeconds} s; last seen ${JSON.stringify(answer)}`);
    }
    await sleep(PAUSE_MS);
  }
}
