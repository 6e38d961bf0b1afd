import { setTimeout as delay } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** A connection to Temporal that is closed before its server ends, or after. */
export interface TemporalConnection {
  readonly connection: Connection;
  /** Returns when no call is left that would be tried again; those that are under way fail when their server ends. */
  close(): Promise<void>;
}

/**
 * Connects to Temporal. `Connection.close()` of the SDK alone leaves calls under way as they are: when their server ends
 * afterwards, its retry finds the channel shut down and throws that in a timer, where nobody catches it. It then fails
 * another test than the one that made the call.
 */
export async function connectTemporal(address: string): Promise<TemporalConnection> {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let closing = false;
  let lastRetryAt = 0;
  const connection = await Connection.connect({
    address,
    interceptors: [
      makeGrpcRetryInterceptor({
        retryableDecider: (attempt, status) => !closing && retryableDecider(attempt, status),
        delayFunction: (attempt, status) => {
          const ms = delayFunction(attempt, status);
          lastRetryAt = Math.max(lastRetryAt, performance.now() + ms);
          return ms;
        },
      }),
    ],
  });
  return {
    connection,
    close: async () => {
      closing = true;
      // Timers are called in the order of their time, and on time or later: this one after those of the retries.
      const untilRetried = lastRetryAt - performance.now();
      if (untilRetried > 0) await delay(untilRetried + 1);
      await connection.close();
    },
  };
}
