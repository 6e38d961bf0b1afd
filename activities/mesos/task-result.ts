/** What comes of the run of a task; pure. */
import type { RunTaskProgress, RunTaskResult } from './run-task-options.ts';
import type { TaskStatus } from './types.ts';

/** The exit code that Mesos' executors put into the last message; undefined when there is none. */
export function exitCodeOf(message: string | undefined): number | undefined {
  const code = /exited with status (\d+)/.exec(message ?? '')?.[1];
  return code === undefined ? undefined : Number(code);
}

/** What comes of a run whose task has ended with this status. */
export function resultOf(
  { state, message, reason }: TaskStatus,
  { frameworkId, taskId, agentId, agentUrl, sandbox }: RunTaskProgress,
  warnings: readonly string[],
): RunTaskResult {
  const where = { frameworkId, taskId, agentId, agentUrl, sandbox };
  return { state, message: message ?? '', reason, exitCode: exitCodeOf(message), ...where, warnings };
}
