import { isNativeError } from 'node:util/types';

/** One thing that must answer. */
export interface Check {
  /** Such as `Consul`. */
  readonly system: string;
  readonly address: string;
  /** Asks. @returns what answered, in a few words; throws what is wrong */
  run(signal: AbortSignal): Promise<string>;
  /** What to do when it is wrong. */
  readonly advice: string;
}

/** Something is wrong that asks for another advice than the check's own. */
export class Wrong extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.name = 'Wrong';
    this.advice = advice;
  }
}

/** What became of a check. */
export type Finding = Pick<Check, 'system' | 'address'> &
  (
    | { readonly state: 'ok' | 'not checked'; readonly said: string }
    | { readonly state: 'wrong'; readonly said: string; readonly advice: string }
  );

const TIMEOUT_MS = 10_000;

/**
 * Runs all checks at once, so that the whole takes as long as the slowest. In the order given.
 *
 * @param timeoutMs longest time for one check, however its client behaves
 */
export function runChecks(checks: readonly Check[], timeoutMs: number = TIMEOUT_MS): Promise<Finding[]> {
  return Promise.all(checks.map((check) => runCheck(check, timeoutMs)));
}

async function runCheck({ system, address, run, advice }: Check, timeoutMs: number): Promise<Finding> {
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs / 1000} s`);
      deadline.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return { system, address, state: 'ok', said: await Promise.race([run(deadline.signal), late]) };
  } catch (error) {
    const what = error instanceof Wrong ? error.advice : advice;
    return { system, address, state: 'wrong', said: messageOf(error), advice: what };
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` says "fetch failed" and keeps the reason in the cause; some of Node's errors have a code and no message. */
function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const { cause } = error;
  if (isNativeError(cause) && error.message === 'fetch failed') return messageOf(cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
