/** What an update means to a framework that runs one task; pure. */
import { isTerminal, type TaskState, type TaskStatus } from './types.ts';

/** How far the task is known to have come; WAITING: it was not launched yet. */
export type RunState = 'WAITING' | TaskState;

export interface UpdateContext {
  /** The task this framework runs, or is about to run. */
  readonly taskId: string;
  /** What was known before this update. */
  readonly known: RunState;
  /** True after a (re)subscription, until the master has answered what became of the task. */
  readonly reconciling: boolean;
}

export type UpdateMeaning =
  /** Nothing to do but acknowledge. */
  | 'ignore'
  /** A live task of this framework, launched by an earlier run that could not say so: take it up as ours. */
  | 'adopt'
  /** Our task lives; its state is news or not. */
  | 'alive'
  /** Our task has ended, or is lost for good; or that of an earlier run, which could not say that it launched it. */
  | 'ended'
  /** The master has no such task. It never started, or has ended and was acknowledged: ask who remembers. */
  | 'unknown'
  /** It was never started: launch another. */
  | 'relaunch';

/** Ends of a task that was there, as against those by which Mesos only says that it has lost it. */
const OWN_ENDS: ReadonlySet<TaskState> = new Set(['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_ERROR']);

/**
 * Judges an update. TASK_DROPPED means that the task never reached an executor (mesos.proto), so it is launched anew;
 * unreachable tasks may come back and count as alive. GONE, LOST and UNKNOWN as the answer to our own question only
 * mean that the master does not know the task (any more).
 */
export function judgeUpdate(status: TaskStatus, context: UpdateContext): UpdateMeaning {
  const { state, reason } = status;
  if (status.task_id.value !== context.taskId) return judgeOther(state, context);
  const answered = reason === 'REASON_RECONCILIATION';
  switch (state) {
    case 'TASK_DROPPED':
      return 'relaunch';
    case 'TASK_UNKNOWN':
      return answered ? 'unknown' : 'ignore';
    case 'TASK_GONE':
    case 'TASK_GONE_BY_OPERATOR':
    case 'TASK_LOST':
      return answered ? 'unknown' : 'ended';
    default:
      return isTerminal(state) ? 'ended' : 'alive';
  }
}

/** An earlier run may have launched a task and died before it could say so; that one lives, or has come to its end. */
function judgeOther(state: TaskState, { known, reconciling }: UpdateContext): UpdateMeaning {
  if (!reconciling || state === 'TASK_UNKNOWN') return 'ignore';
  if (!isTerminal(state)) return 'adopt';
  return known === 'WAITING' && OWN_ENDS.has(state) ? 'ended' : 'ignore';
}
