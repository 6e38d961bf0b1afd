/** Runs one of the operator's commands: program and arguments, no shell, with a deadline. */
import { spawn } from 'node:child_process';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';

/** How much of a command's output is kept, from its end. */
const KEPT_BYTES = 16 * 1024;
/** From SIGTERM to SIGKILL for a command that does not end. */
const GRACE_MS = 5_000;

export interface CommandOptions {
  /** What the command is for, such as `make the registry read-only`. */
  readonly purpose: string;
  readonly timeoutMs: number;
  /** One command at a time holds this lock; it is held for as long as the command runs, whoever started it. */
  readonly lockFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** With which `flock` ends when the lock was not free in time. */
const LOCKED_EXIT_CODE = 75;

/**
 * Resolves with the end of the command's output when it exits with 0. Fails with `SystemUnavailable` and the same
 * output otherwise; it is stopped, with the processes it started, at the deadline or when `signal` is aborted.
 *
 * A worker that is killed leaves its command running. The lock keeps the next one from running beside it: a registry
 * that takes pushes again while an old collection still sweeps would lose their layers. Needs `flock` (util-linux).
 */
export async function runMaintenanceCommand(argv: readonly string[], options: CommandOptions): Promise<string> {
  const { purpose, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const seconds = String(Math.max(1, Math.floor(timeoutMs / 1000) - 1));
  // --close: what the command leaves running on purpose, such as a registry, must not hold the lock.
  const lock = ['--close', '--wait', seconds, '--conflict-exit-code', String(LOCKED_EXIT_CODE), options.lockFile];
  const output = new OutputTail();
  // A group of its own, so that what the command starts ends with it.
  const child = spawn('flock', [...lock, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
  const stop = (how: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, how);
    } catch {
      // ESRCH: it has ended in this very moment; its end is awaited below.
    }
  };
  let late = false;
  const stopAll = () => {
    stop('SIGTERM');
    setTimeout(() => stop('SIGKILL'), GRACE_MS).unref();
  };
  const timer = setTimeout(() => {
    late = true;
    stopAll();
  }, timeoutMs);
  signal?.addEventListener('abort', stopAll, { once: true });
  try {
    const ended = await new Promise<{ code: number | null; by: string | null }>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, by) => resolve({ code, by }));
    });
    signal?.throwIfAborted();
    if (ended.code === 0 && !late) return output.text();
    if (ended.code === LOCKED_EXIT_CODE) {
      throw failure(purpose, argv, `has waited ${seconds} s for another command of the registry to end`);
    }
    const how = late ? `was stopped after ${timeoutMs} ms` : `ended with ${ended.by ?? `exit code ${ended.code}`}`;
    throw failure(purpose, argv, `${how}: ${output.text() || '(no output)'}`);
  } catch (error) {
    if (error instanceof ApplicationFailure || signal?.aborted) throw error;
    throw failure(purpose, argv, `could not be started: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stopAll);
  }
}

function failure(purpose: string, argv: readonly string[], what: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: `the command to ${purpose}, ${JSON.stringify(argv)}, ${what}`,
  });
}

/** The end of what was written, whole lines where they fit. */
class OutputTail {
  #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) > KEPT_BYTES) this.#size -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-KEPT_BYTES).toString('utf8').trim();
  }
}
