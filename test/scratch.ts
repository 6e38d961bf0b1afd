import { chmodSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Supervisor } from '../local/platform/supervisor.ts';

/** Makes a directory for all that tests put into temporary ones. Its path is short: unix sockets are below it. */
export function makeScratch(): string {
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-'));
  // A server that refuses to be root reaches what is its own below.
  chmodSync(scratch, 0o711);
  return scratch;
}

/**
 * Removes the directory, and ends the platforms that run in it: tests that were killed, by Ctrl-C or because they hung,
 * leave theirs, since Jest hands no signal to what runs in it.
 */
export async function clearScratch(directory: string, say: (line: string) => void): Promise<void> {
  for (const run of globSync(['*/run', '*/*/run'], { cwd: directory })) {
    const root = dirname(join(directory, run));
    if (!existsSync(join(root, 'logs'))) continue;
    const supervisor = await Supervisor.open({ dir: root, log: say });
    await supervisor.stop();
  }
  rmSync(directory, { recursive: true, force: true });
}
