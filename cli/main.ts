import { CommanderError } from 'commander';
import { ApiRefusal } from './api-client.ts';
import { UsageError } from './context.ts';
import { ExitCode, exitCodeOfProblem } from './exit-codes.ts';
import type { CliIo } from './io.ts';
import { type AddCommands, buildProgram, type LocalCommand } from './program.ts';

/**
 * Runs one `slipway` command. Never throws for what a person can mend: it says so on stderr.
 *
 * @param args what follows `slipway` on the command line
 * @param local commands that need no API
 * @param addMore adds further ones that need none
 * @returns the exit code, one of `ExitCode`
 */
export async function runCli(
  args: readonly string[],
  io: CliIo,
  local: readonly LocalCommand[] = [],
  addMore: AddCommands = () => undefined,
): Promise<number> {
  let code: number = ExitCode.Ok;
  const program = buildProgram(io, { local, addMore }, (ended) => {
    code = ended;
  });
  const json = args.some(
    (arg, index) =>
      arg === '--json' ||
      /^(--output=|-o=?)json$/.test(arg) ||
      (/^(-o|--output)$/.test(arg) && args[index + 1] === 'json'),
  );
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has said already what is wrong; help that was asked for is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
    if (io.interrupted.aborted) return ExitCode.Interrupted;
    if (error instanceof ApiRefusal) {
      io.stderr.write(`${json ? JSON.stringify(error.problem) : refusalText(error)}\n`);
      return exitCodeOfProblem(error.problem);
    }
    const message = error instanceof Error ? error.message : String(error);
    io.stderr.write(`${json ? JSON.stringify({ v: 1, error: message }) : `slipway: ${message}`}\n`);
    return error instanceof UsageError ? error.exitCode : ExitCode.Unexpected;
  }
}

function refusalText({ problem }: ApiRefusal): string {
  const errors = (problem.errors ?? []).map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`);
  const detail = errors.length > 0 ? errors.join('\n') : `  ${problem.detail}`;
  return `${problem.title} (${problem.code})\n${detail}\n  request ${problem.requestId}`;
}
