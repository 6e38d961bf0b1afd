import type { TestWorkflowEnvironment } from '@temporalio/testing';

/** So often a server is started that does not listen in time. */
const TRIES = 4;

/**
 * Starts a server of Temporal for tests. The SDK gives each five seconds to listen, and ends it then; the first start may
 * take longer where its executable still has to be read from a slow disk.
 */
export async function startTestServer(start: () => Promise<TestWorkflowEnvironment>): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === TRIES || !/did not start within/.test(String(error))) throw error;
    }
  }
}
