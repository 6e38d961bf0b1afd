import { describe, it } from '@jest/globals';
import { type Client, type ClientCommand, ClientUnavailable, ensureClient } from './client.ts';

/**
 * Declares a suite that needs a client. Where the client can't be had the suite is one skipped test that says why.
 * To be awaited at the top of a test file: an installation may take longer than hooks may.
 */
export async function describeWithClient(
  what: string,
  client: Client,
  suite: (command: ClientCommand) => void,
): Promise<void> {
  const ready = await ensureClient(client, () => undefined).catch((error: unknown) => {
    if (error instanceof ClientUnavailable) return error;
    throw error;
  });
  describe(what, () => {
    if (ready instanceof ClientUnavailable) it.skip(ready.message, () => undefined);
    else suite(ready);
  });
}
