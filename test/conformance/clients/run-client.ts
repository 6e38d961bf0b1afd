import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { ClientCommand } from './client.ts';

/** What a client said, and how it ended. */
export interface Ran {
  /** Exit code; null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A client that takes longer than any call of it may hangs. */
const WITHIN_MS = 60_000;

/** Runs a client to its end, whatever that is. */
export async function runClient(
  command: ClientCommand,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Ran> {
  const child = spawn(command.file, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...command.env, ...options.env },
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  const ended = once(child, 'close');
  child.stdin.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, stdout, stderr };
}
