/** The connection to Temporal that tests have ends without a word in the middle of a call. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, jest } from '@jest/globals';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';

jest.setTimeout(180_000);

it.each(['connection-first', 'server-first'])('ends with a call under way: %s', async (order) => {
  const toolbox = await ensureToolbox(['temporal-cli'], () => {});
  const { NODE_OPTIONS: _, ...env } = process.env;
  // In a process of its own: what a timer throws must end that one, not the test.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'temporal-connection-launcher.ts'), order],
    { env: { ...env, TEMPORAL_CLI_PATH: toolbox.path('temporal-cli') } },
  );
  expect(stdout.trim().split('\n').at(-1)).toBe('failed');
});
