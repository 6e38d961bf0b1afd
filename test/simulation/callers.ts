import { subscribe } from 'node:diagnostics_channel';
import type { Call } from './world/exchange.ts';

const HEADER = 'x-simulated-caller';

type SetHeader = (name: string, value: string) => void;

/**
 * From now on each HTTP request of this process says on whose behalf it is made.
 *
 * @param caller asked when a request is made, on its way; undefined: on nobody's
 */
export function nameCallers(caller: () => string | undefined): void {
  const named = (method: 'setHeader' | 'addHeader') => (message: unknown) => {
    const name = caller();
    // Not asked for its class: it comes from outside of the realm that Jest runs tests in.
    const { request } = message as { readonly request: Readonly<Record<typeof method, SetHeader>> };
    if (name !== undefined) request[method](HEADER, name);
  };
  subscribe('http.client.request.created', named('setHeader'));
  subscribe('undici:request:create', named('addHeader'));
}

/** Id of the workflow whose activity makes a call; undefined where none does. */
export function callerOf({ headers }: Call): string | undefined {
  const name = headers[HEADER];
  return typeof name === 'string' ? name : undefined;
}
