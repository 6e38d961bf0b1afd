/** Runs one task to its end on Mesos, as a framework of its own. */
import { randomUUID } from 'node:crypto';
import { type ReadOptions, readSandboxFile } from './agent-files.ts';
import { MesosError } from './errors.ts';
import { OperatorClient } from './operator-client.ts';
import type { RunTaskOptions, RunTaskProgress, RunTaskResult } from './run-task-options.ts';
import { abortPatienceMs, Backoff, callTimeoutMs, successorOf } from './task-framework.ts';
import { newTaskId } from './task-info.ts';
import { TaskSession } from './task-session.ts';

export { NoFittingOfferError } from './errors.ts';
export type { RunTaskOptions, RunTaskProgress, RunTaskResult } from './run-task-options.ts';

/**
 * Runs a task to its end: subscribes, takes the first offer that fits, launches, acknowledges every update, and tears
 * the framework down; it returns when Mesos has taken that. Broken connections are mended as long as Mesos keeps the
 * framework.
 *
 * Given the progress of an earlier run, or the framework id that one had, it takes up that run's task, wherever it has
 * come to, and never starts a second one beside it. If Mesos has removed the framework meanwhile (and so killed the
 * task), it starts anew as `successorOf` that framework. Aborted from its beginning it ends what earlier runs left.
 *
 * Rejects with `NoFittingOfferError`, with `MesosError` when Mesos refuses or stays away, with the reason of `leave`,
 * and with the signal's reason when aborted, which means that nothing is left in Mesos.
 */
export async function runTask(options: RunTaskOptions): Promise<RunTaskResult> {
  const { signal, leave, task } = options;
  let progress: RunTaskProgress = options.resume ?? {
    frameworkId: options.frameworkId ?? randomUUID(),
    taskId: newTaskId(task.name),
    state: 'WAITING',
  };
  let resuming = options.resume !== undefined || options.frameworkId !== undefined;
  if (!resuming) signal.throwIfAborted();
  const tell = (next: RunTaskProgress) => {
    progress = next;
    options.onProgress(next);
  };
  tell(progress);
  let brokenSince: number | undefined;
  const backoff = new Backoff();
  for (;;) {
    leave?.throwIfAborted();
    const session = new TaskSession(options, { progress, resuming, tell });
    try {
      const outcome = await session.run();
      if (outcome !== 'removed') return outcome;
      const frameworkId = successorOf(progress.frameworkId);
      if (signal.aborted && !(await isKnown(options, frameworkId))) throw signal.reason;
      tell({ frameworkId, taskId: newTaskId(task.name), state: 'WAITING' });
    } catch (error) {
      if (!(error instanceof MesosError) || error.nonRetryable === true) throw error;
      if (session.subscribed) {
        brokenSince = undefined;
        backoff.reset();
      }
      brokenSince ??= Date.now();
      const patienceMs = signal.aborted ? abortPatienceMs(options) : Math.max(1, options.failoverTimeoutSeconds) * 1000;
      if (Date.now() - brokenSince > patienceMs) throw error;
      await backoff.wait();
    }
    // From here on an earlier session, or an earlier run, may have launched the task.
    resuming = true;
  }
}

/** Whether Mesos knows a framework, or knew it not long ago. */
async function isKnown(options: RunTaskOptions, frameworkId: string): Promise<boolean> {
  const { master } = options;
  const state = await new OperatorClient({ master, timeoutMs: callTimeoutMs(options) }).getState();
  const { frameworks, completed_frameworks } = state.get_frameworks;
  return [...frameworks, ...completed_frameworks].some(
    ({ framework_info }) => framework_info.id?.value === frameworkId,
  );
}

/**
 * A file that the task left in its sandbox, such as `junit.xml`; undefined when there is none. The sandbox stays
 * readable after the run, until the agent's own garbage collection (a week by default).
 */
export async function readTaskFile(
  result: Pick<RunTaskResult, 'agentUrl' | 'sandbox'>,
  name: string,
  options?: ReadOptions,
): Promise<Buffer | undefined> {
  if (result.agentUrl === undefined || result.sandbox === undefined) return undefined;
  return readSandboxFile(result.agentUrl, `${result.sandbox}/${name}`, options);
}
