/** A Mesos cell as a process of its own, so that the suites can kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CellOptions } from '../../cell/mesos/options.ts';

export interface CellProcess {
  readonly masterUrl: string;
  readonly agents: readonly { readonly id: string; readonly name: string; readonly url: string }[];
  /** SIGTERM: ends every task. */
  stop(): Promise<void>;
  /** SIGKILL. */
  crash(): Promise<void>;
}

export async function startCell(options: CellOptions): Promise<CellProcess> {
  const main = join(import.meta.dirname, '../../cell/mesos/main.ts');
  // Without Jest's NODE_OPTIONS.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    void ended.then(() => reject(new Error(`the cell ended: ${log}`)));
  });
  const { masterUrl, agents } = JSON.parse(line) as Pick<CellProcess, 'masterUrl' | 'agents'>;
  const end = async (signal: NodeJS.Signals, child: ChildProcess) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return { masterUrl, agents, stop: () => end('SIGTERM', child), crash: () => end('SIGKILL', child) };
}
