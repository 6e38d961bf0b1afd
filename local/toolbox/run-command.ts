import { execFile } from 'node:child_process';

export interface CommandOptions {
  /** Milliseconds before the command is killed. */
  readonly timeoutMs: number;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A command that ended with an error, was killed at its timeout, or could not be started. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** What the command wrote, both streams, as it was. */
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

/**
 * Runs a command to its end and returns what it wrote.
 * @throws {CommandError} with the command line, how it ended and the last lines it wrote.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      {
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...options.env },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve({ stdout, stderr });
          return;
        }
        const ending = error.killed === true ? `killed after ${options.timeoutMs} ms` : `ended with ${error.code}`;
        const tail = `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n');
        reject(new CommandError(`${[command, ...args].join(' ')}: ${ending}: ${tail}`, `${stdout}${stderr}`));
      },
    );
  });
}
