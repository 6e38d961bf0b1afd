/** Runs one task to its end on Mesos, as a framework of its own. */
import { randomUUID } from 'node:crypto';
import { type ReadOptions, readSandboxFile } from './agent-files.ts';
import { MesosError } from './errors.ts';
import type { RunTaskOptions, RunTaskProgress, RunTaskResult } from './run-task-options.ts';
import { abortPatienceMs, newTaskId, TaskSession } from './task-session.ts';

export { NoFittingOfferError } from './errors.ts';
export type { RunTaskOptions, RunTaskProgress, RunTaskResult } from './run-task-options.ts';

/** Between attempts to subscribe again. */
const RECONNECT_MIN_MS = 250;
const RECONNECT_MAX_MS = 5_000;

/**
 * Runs a task to its end: subscribes, takes the first offer that fits, launches, acknowledges every update, and tears
 * the framework down. Broken connections are mended as long as Mesos keeps the framework.
 *
 * Given the progress of an earlier run it takes up that run's task, wherever it has come to, and never starts a
 * second one beside it. If Mesos has removed the framework meanwhile (and so killed the task), it starts anew.
 *
 * Rejects with `NoFittingOfferError`, with `MesosError` when Mesos refuses or stays away, and with the signal's
 * reason when aborted.
 */
export async function runTask(options: RunTaskOptions): Promise<RunTaskResult> {
  const { signal, task } = options;
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
  let backoffMs = RECONNECT_MIN_MS;
  for (;;) {
    const session = new TaskSession(options, { progress, resuming, tell });
    try {
      const outcome = await session.run();
      if (outcome !== 'removed') return outcome;
      signal.throwIfAborted();
      tell({ frameworkId: randomUUID(), taskId: newTaskId(task.name), state: 'WAITING' });
      resuming = false;
    } catch (error) {
      if (!(error instanceof MesosError) || error.nonRetryable === true) throw error;
      if (session.subscribed) [brokenSince, backoffMs] = [undefined, RECONNECT_MIN_MS];
      brokenSince ??= Date.now();
      const brokenMs = Date.now() - brokenSince;
      if (signal.aborted && brokenMs > abortPatienceMs(options)) throw signal.reason;
      if (brokenMs > Math.max(1, options.failoverTimeoutSeconds) * 1000) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs));
      backoffMs = Math.min(backoffMs * 2, RECONNECT_MAX_MS);
      // From here on an earlier session may have launched the task.
      resuming = true;
    }
  }
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
