/**
 * Something this machine lacks or the person at the keyboard must do. The message is one plain line that says what and
 * how; a command that meets one prints it as it is, without a stack, and ends with exit code 1.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** Runs a command's main function; a {@link SetupError} becomes its one line on stderr, anything else its stack. */
export async function runCommandLine(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(error instanceof SetupError ? `slipway: ${error.message}\n` : `slipway: ${stackOf(error)}\n`);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
