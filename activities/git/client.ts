/** The git command: no prompts, no user settings, a deadline. */
import { execFile } from 'node:child_process';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';

export interface GitOptions {
  readonly cwd?: string | undefined;
  /** Default 20 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** More output than this is no answer that we asked for. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** Git ended with an error, or was stopped; the message is what it wrote. */
export class GitExit extends Error {
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode: number | undefined) {
    super(message);
    this.name = 'GitExit';
    this.exitCode = exitCode;
  }
}

/** Runs git and returns its output. Rejects with `GitExit`; with the signal's reason when aborted. */
export function runGit(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { cwd, signal, timeoutMs = 20_000 } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    execFile(
      'git',
      [...args],
      {
        encoding: 'buffer',
        maxBuffer: MAX_OUTPUT_BYTES,
        timeout: timeoutMs,
        // At the timeout as when it is aborted: git takes its locks away then. A branch that stays locked can never be
        // fetched again.
        killSignal: 'SIGTERM',
        env: {
          ...process.env,
          // Never wait for a password, and let no setting of the machine change what an answer means.
          GIT_TERMINAL_PROMPT: '0',
          GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes',
          GIT_CONFIG_NOSYSTEM: '1',
          LC_ALL: 'C',
        },
        ...(cwd === undefined ? {} : { cwd }),
        ...(signal === undefined ? {} : { signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (signal?.aborted) reject(signal.reason);
        else {
          const said = stderr.toString('utf8').trim();
          const why = error.killed ? `no end after ${timeoutMs} ms` : said || error.message;
          reject(new GitExit(why, typeof error.code === 'number' ? error.code : undefined));
        }
      },
    );
  });
}

/** The failure for a repository that could not be read: retryable, since git does not say which errors pass. */
export function gitFailure(repository: string, call: string, error: GitExit): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: `git repository ${withoutPassword(repository)}: ${call} failed: ${withoutPassword(error.message)}; check the address and that this machine may read it`,
  });
}

/** A repository's address may hold a password or token; messages must not. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, '//');
}
