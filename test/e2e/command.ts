import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves once stdout or stderr has said this. @throws {Error} with all it said, when it ends or stays without */
  said(text: string): Promise<void>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

/** Environment variables of one call, beside those of everyone. */
export type Variables = Readonly<Record<string, string>>;

/** The real `slipway` command, run as a user of a shell runs it, without a terminal. */
export interface Slipway {
  /** Runs it to its end. */
  run(args: readonly string[], env?: Variables): Promise<Ended>;
  /** Starts it. */
  start(args: readonly string[], env?: Variables): Running;
  /** Ends what still runs. */
  close(): Promise<void>;
}

/** Longest time until a command says what it is waited for to say; a release may have to be built first. */
const SAID_WITHIN_MS = 240_000;
const PROGRAM = new URL('../../bin/slipway.ts', import.meta.url).pathname;

/** The command with these variables and nothing else of this process's environment but the path. */
export function slipwayCommand(everyone: Variables): Slipway {
  const children = new Set<ChildProcess>();

  function start(args: readonly string[], env: Variables = {}): Running {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...everyone, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    let over = false;
    const ended = once(child, 'close').then(([code]: readonly (number | null)[]): Ended => {
      over = true;
      children.delete(child);
      return { code: code ?? null, stdout, stderr };
    });
    const said = async (text: string): Promise<void> => {
      const tooLong = AbortSignal.timeout(SAID_WITHIN_MS);
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (over || tooLong.aborted) {
          const how = over ? 'ended' : `ran for ${SAID_WITHIN_MS} ms`;
          throw new Error(`slipway ${args.join(' ')} ${how} without saying "${text}":\n${stdout}${stderr}`);
        }
        const heard = new AbortController();
        const untilThen = { signal: heard.signal };
        await Promise.race([
          once(child.stdout, 'data', untilThen),
          once(child.stderr, 'data', untilThen),
          once(tooLong, 'abort', untilThen),
          ended,
        ]).finally(() => heard.abort());
      }
    };
    return { ended, said, interrupt: () => child.kill('SIGINT') };
  }

  return {
    start,
    run: (args, env) => start(args, env).ended,
    async close() {
      await Promise.all(
        [...children].map(async (child) => {
          const closed = once(child, 'close');
          child.kill('SIGKILL');
          await closed;
        }),
      );
    },
  };
}
