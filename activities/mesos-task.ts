import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../domain/failures.ts';
import { type RunTaskOptions, type RunTaskProgress, type RunTaskResult, runTask } from './mesos/run-task.ts';
import { TASK_STATES } from './mesos/types.ts';

export { NoFittingOfferError, type RunTaskProgress, type RunTaskResult, readTaskFile } from './mesos/run-task.ts';

/**
 * How a task came to its end: by itself, or because the activity was cancelled or its time was over. In both cases
 * Mesos has said so.
 */
export type TaskEnd =
  | { readonly kind: 'ended'; readonly result: RunTaskResult }
  | {
      readonly kind: 'stopped';
      readonly because: 'cancelled' | 'timeout';
      readonly progress: RunTaskProgress | undefined;
    };

export type ActivityTask = Omit<
  RunTaskOptions,
  'resume' | 'onProgress' | 'signal' | 'leave' | 'frameworkId' | 'failoverTimeoutSeconds'
> & {
  /** Longest time that the task runs. What it waits for before, an agent or its image, does not count. */
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
 * Temporal makes no next attempt of an activity that was cancelled, also when its worker has died since: a workflow
 * whose activity has not returned must call `endTaskOfActivity`.
 *
 * Fails as `runTask` does.
 */
export async function runTaskInActivity({ timeoutMs, ...task }: ActivityTask): Promise<TaskEnd> {
  const context = Context.current();
  const stop = new AbortController();
  const leave = new AbortController();
  const left = new Promise<never>((_, reject) => {
    leave.signal.addEventListener('abort', () => reject(leave.signal.reason), { once: true });
  });
  context.cancelled.catch(() => {
    if (context.cancellationDetails?.cancelRequested) stop.abort(new Stopped('cancelled'));
    else leave.abort(leftBehind());
  });
  let timer: NodeJS.Timeout | undefined;
  const onProgress = ({ state }: RunTaskProgress) => {
    if (state === 'TASK_RUNNING') timer ??= setTimeout(() => stop.abort(new Stopped('timeout')), timeoutMs);
    if (state !== 'WAITING') return;
    // Mesos has lost it before it ran, so that another one begins.
    clearTimeout(timer);
    timer = undefined;
  };
  try {
    const { activityId, heartbeatDetails } = context.info;
    const signals = { signal: stop.signal, leave: leave.signal };
    return await Promise.race([follow({ ...task, onProgress }, activityId, resumed(heartbeatDetails), signals), left]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends what is left of the task of another activity of the same workflow, one that has ended without telling how: the
 * task is killed and waited for, its framework removed. Returns the same when there is nothing left.
 *
 * @param task as that activity ran it
 *
 * Fails as `runTask` does.
 */
export function endTaskOfActivity(activityId: string, { timeoutMs: _, ...task }: ActivityTask): Promise<TaskEnd> {
  const signal = AbortSignal.abort(new Stopped('cancelled'));
  return follow({ ...task, onProgress: () => undefined }, activityId, undefined, { signal });
}

/** Runs the task of an activity, and tells with every heartbeat where it has come to. */
async function follow(
  { onProgress, ...task }: Omit<ActivityTask, 'timeoutMs'> & Pick<RunTaskOptions, 'onProgress'>,
  activityId: string,
  resume: RunTaskProgress | undefined,
  signals: Pick<RunTaskOptions, 'signal' | 'leave'>,
): Promise<TaskEnd> {
  const context = Context.current();
  const { workflowExecution, taskQueue } = context.info;
  let progress = resume;
  const beat = setInterval(() => context.heartbeat(progress), BEAT_MS);
  signals.leave?.addEventListener('abort', () => clearInterval(beat), { once: true });
  try {
    const result = await runTask({
      ...task,
      ...signals,
      frameworkId: `${workflowExecution?.runId ?? taskQueue}-${activityId}`,
      failoverTimeoutSeconds: FAILOVER_SECONDS,
      resume,
      onProgress: (next) => {
        progress = next;
        context.heartbeat(next);
        onProgress(next);
      },
    });
    return { kind: 'ended', result };
  } catch (error) {
    if (error instanceof Stopped) return { kind: 'stopped', because: error.because, progress };
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/** Why a run was aborted. */
class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly because: 'cancelled' | 'timeout';

  constructor(because: 'cancelled' | 'timeout') {
    super(because);
    this.because = because;
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
