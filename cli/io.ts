import type { Terminal } from './live-screen.ts';

/** An output of the command: data goes to one, what is for people to the other. */
export interface Output extends Terminal {
  readonly isTTY?: boolean;
}

/** The world around the command, so that tests can stand in for it. */
export interface CliIo {
  /** Data. */
  readonly stdout: Output;
  /** What is for people. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Asks a person; undefined where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Aborted when the person interrupts. */
  readonly interrupted: AbortSignal;
}

/** Columns of an output; a pipe is as wide as a wide screen, so that little is cut. */
export function widthOf(output: Output): number {
  // A terminal that does not know its size says 0.
  return output.isTTY ? output.columns || 80 : 200;
}
