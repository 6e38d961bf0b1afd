/**
 * Ends a Temporal server and the connection to it while a call is under way: `node FILE ORDER`, where ORDER says which of
 * both first. Says on stdout what became of the call.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowClient } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { connectTemporal } from '../temporal-connection.ts';
import { startTestServer } from '../test-server.ts';

/** Longer than the SDK waits before it tries a call again for the first time. */
const RETRIED_MS = 1_000;
/** Far longer than a call takes to fail. */
const PATIENCE_MS = 30_000;

const path = process.env['TEMPORAL_CLI_PATH'] ?? '';
const env = await startTestServer(() =>
  TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path } } }),
);
const { connection, close } = await connectTemporal(env.address);
const client = new WorkflowClient({ connection });
const handle = await client.start('parked', { workflowId: 'parked', taskQueue: 'unattended' });
const result = handle.result().then(
  () => 'ended',
  () => 'failed',
);
if (process.argv[2] === 'connection-first') {
  await close();
  await env.teardown();
} else {
  await env.teardown();
  await close();
}
const retried = delay(RETRIED_MS);
const stillThere = delay(PATIENCE_MS, 'still under way', { ref: false });
process.stdout.write(`${await Promise.race([result, stillThere])}\n`);
await retried;
