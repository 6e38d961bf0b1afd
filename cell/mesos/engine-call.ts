/** Puts an end to calls of the Docker engine that the client would wait for without one. */
import type Docker from 'dockerode';

/** Time for the client's own timeout, which says more, to come first. */
const SLACK_MS = 1_000;

/**
 * The call's answer, or an error once the timeout of the engine's client is over. That client stops waiting for an
 * answer that does not begin; one that begins and breaks off, because the engine was killed, it would wait for for ever.
 */
export async function inTime<T>(call: Promise<T>, engine: Docker): Promise<T> {
  const { timeout } = engine.modem as { readonly timeout?: number };
  if (timeout === undefined) return call;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`the Docker engine did not answer within ${timeout} ms`);
    timer = setTimeout(() => reject(error), timeout + SLACK_MS);
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}
