/** What an agent writes down of each task, so that it finds it again after its own death. */
import { z } from 'zod';
import { taskStatusSchema } from '../../activities/mesos/schemas.ts';
import { frameworkInfoInput, taskInfoSchema } from './call-schemas.ts';

const kill = z.object({
  /** ms since the epoch. */
  at: z.number(),
  graceMs: z.number(),
  reason: z.string().optional(),
  message: z.string().optional(),
  /** Set when a health check did it. */
  healthy: z.boolean().optional(),
  /** The state it ends in; a task that took longer than it may has failed. */
  state: z.enum(['TASK_KILLED', 'TASK_FAILED', 'TASK_GONE_BY_OPERATOR']),
});
export type KillRecord = z.infer<typeof kill>;

export const taskRecordSchema = z.object({
  containerId: z.string(),
  frameworkId: z.string(),
  frameworkInfo: frameworkInfoInput,
  task: taskInfoSchema,
  /** The sandbox. */
  directory: z.string(),
  /** ms since the epoch. */
  launchedAt: z.number(),
  runningSince: z.number().optional(),
  /** launching: it may or may not have been started; running: it was; ended: its end is known. */
  phase: z.enum(['launching', 'running', 'ended']),
  kill: kill.optional(),
  /** The framework is gone: nobody wants updates. */
  muted: z.boolean(),
  /** The newest of each stretch of the same state, and before it those that have none after them that is acknowledged. */
  statuses: z.array(taskStatusSchema),
  /** Those of them not yet acknowledged. */
  pending: z.array(taskStatusSchema),
  /** Ended, and its end acknowledged. */
  completed: z.boolean(),
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;
