/** Runs inside the workflow bundle: a builder's own task queue is answered by the one worker that the simulation has. */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { TASK_QUEUE } from '../../workflows/contract.ts';

export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: (input, next) => next({ ...input, options: { ...input.options, taskQueue: TASK_QUEUE } }),
    },
  ],
});
