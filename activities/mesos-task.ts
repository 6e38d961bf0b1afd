import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../domain/failures.ts';
import { type RunTaskOptions, type RunTaskProgress, type RunTaskResult, runTask } from './mesos/run-task.ts';
import { TASK_STATES } from './mesos/types.ts';

export { NoFittingOfferError, type RunTaskProgress, type RunTaskResult, readTaskFile } from './mesos/run-task.ts';

/** How a task came to its end: by itself, or because the activity was cancelled or its time was over. */
export type TaskEnd =
  | { readonly kind: 'ended'; readonly result: RunTaskResult }
  | {
      readonly kind: 'stopped';
      readonly because: 'cancelled' | 'timeout';
      readonly progress: RunTaskProgress | undefined;
    };

export type ActivityTask = Omit<
  RunTaskOptions,
  'resume' | 'onProgress' | 'signal' | 'frameworkId' | 'failoverTimeoutSeconds'
> & {
  /** Longest time from the order to the end of the task. */
  readonly timeoutMs: number;
};

/** How long Mesos keeps the task when its worker died: until the activity has been started again, and much more. */
const FAILOVER_SECONDS = 300;
const BEAT_MS = 2_000;

/** What a heartbeat held; written by ourselves, but by another process, maybe of another version. */
const progressSchema = z.looseObject({
  frameworkId: z.string(),
  taskId: z.string(),
  agentId: z.string().optional(),
  agentUrl: z.string().optional(),
  sandbox: z.string().optional(),
  state: z.enum(['WAITING', ...TASK_STATES]),
});

/**
 * Runs a Mesos task as the work of an activity. Every attempt of the activity is the same framework and takes up the
 * task where the attempt before left it, so the death of a worker costs the task nothing. Cancelled, or at the timeout,
 * the task is killed and waited for. A worker that shuts down, or has lost the activity to another one, leaves the task
 * running and fails with `SystemUnavailable`, so that the next attempt takes it up.
 *
 * Fails as `runTask` does.
 */
export async function runTaskInActivity(task: ActivityTask): Promise<TaskEnd> {
  const context = Context.current();
  const { workflowExecution, activityId } = context.info;
  const stop = new AbortController();
  let because: 'cancelled' | 'timeout' = 'timeout';
  let progress = resumed(context.info.heartbeatDetails);
  const { timeoutMs, ...options } = task;

  const run = runTask({
    ...options,
    frameworkId: `${workflowExecution?.runId ?? context.info.taskQueue}-${activityId}`,
    failoverTimeoutSeconds: FAILOVER_SECONDS,
    resume: progress,
    onProgress: (next) => {
      progress = next;
      context.heartbeat(next);
    },
    signal: stop.signal,
  }).then(
    (result): TaskEnd => ({ kind: 'ended', result }),
    (error: unknown): TaskEnd => {
      if (!stop.signal.aborted) throw error;
      return { kind: 'stopped', because, progress };
    },
  );
  const left = new Promise<never>((_, reject) => {
    context.cancelled.catch(() => {
      if (context.cancellationDetails?.cancelRequested) {
        because = 'cancelled';
        stop.abort();
      } else reject(leftBehind());
    });
  });
  const beat = setInterval(() => context.heartbeat(progress), BEAT_MS);
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    return await Promise.race([run, left]);
  } finally {
    clearInterval(beat);
    clearTimeout(timer);
    // Where the activity was left, the run goes on until the next attempt takes its framework away from it.
    run.catch(() => undefined);
  }
}

function resumed(details: unknown): RunTaskProgress | undefined {
  return progressSchema.safeParse(details).data;
}

function leftBehind(): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: 'the worker stops, or the activity runs elsewhere; its Mesos task goes on and is taken up again',
  });
}
