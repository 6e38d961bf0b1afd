import { type Client, ScheduleAlreadyRunning, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { SchedulesConfiguration } from '../domain/schemas/config.ts';
import {
  type AutoscaleInput,
  type CollectGarbageInput,
  ScheduleId,
  TASK_QUEUE,
  WorkflowType,
} from '../workflows/contract.ts';

/**
 * Ticks that Temporal itself missed for longer than this, because it was down, are not made up for. One that falls into
 * a time without workers begins when a worker is back, and its successors are left out until then.
 */
const CATCH_UP = '1m';

/** Longest time for one call to Temporal. */
const CALL_TIMEOUT_MS = 10_000;

/** The schedules as configured. */
export function schedules(configuration: SchedulesConfiguration): readonly ScheduleOptions[] {
  const { autoscale, collectGarbage } = configuration;
  const autoscaleInput: AutoscaleInput = { windowSeconds: autoscale.windowSeconds };
  const garbageInput: CollectGarbageInput = { services: [], dryRun: false };
  return [
    schedule(ScheduleId.Autoscale, WorkflowType.Autoscale, autoscale.everySeconds, autoscaleInput, {
      staticSummary: 'Scale by load',
      staticDetails:
        'Tells the lane of each service with bounds how many instances its load asks for; the lane decides.',
    }),
    schedule(ScheduleId.CollectGarbage, WorkflowType.CollectGarbage, collectGarbage.everySeconds, garbageInput, {
      staticSummary: 'Delete images that nobody needs',
      staticDetails: 'What a manifest keeps, runs, could be rolled back to or is on its way stays.',
    }),
  ];
}

/** Creates each schedule, or brings the one that exists to what is configured. A paused one stays paused. */
export async function ensureSchedules(client: Client, configuration: SchedulesConfiguration): Promise<void> {
  for (const options of schedules(configuration)) {
    await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      try {
        await client.schedule.create(options);
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        const handle = client.schedule.getHandle(options.scheduleId);
        await handle.update((existing) => ({ ...options, state: existing.state }));
      }
    });
  }
}

function schedule(
  scheduleId: string,
  workflowType: string,
  everySeconds: number,
  input: AutoscaleInput | CollectGarbageInput,
  said: { readonly staticSummary: string; readonly staticDetails: string },
): ScheduleOptions {
  return {
    scheduleId,
    spec: { intervals: [{ every: everySeconds * 1000 }] },
    // One run at a time: a slow one is not overtaken, its successor is left out.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue: TASK_QUEUE,
      args: [input],
      ...said,
    },
  };
}
