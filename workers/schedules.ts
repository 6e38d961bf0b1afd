import { type Client, ScheduleAlreadyRunning, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { SchedulesConfiguration } from '../domain/schemas/config.ts';
import {
  type AutoscaleInput,
  type CollectGarbageInput,
  ScheduleId,
  TASK_QUEUE,
  WorkflowType,
} from '../workflows/contract.ts';

/** Ticks missed for longer than this, while no worker ran, are not made up for. */
const CATCH_UP = '1m';

/** The schedules as configured. */
export function schedules(configuration: SchedulesConfiguration): readonly ScheduleOptions[] {
  const { autoscale, collectGarbage } = configuration;
  const autoscaleInput: AutoscaleInput = { windowSeconds: autoscale.windowSeconds };
  const garbageInput: CollectGarbageInput = { services: [], dryRun: false };
  return [
    schedule(ScheduleId.Autoscale, WorkflowType.Autoscale, autoscale.everySeconds, autoscaleInput, 'Scale by load'),
    schedule(
      ScheduleId.CollectGarbage,
      WorkflowType.CollectGarbage,
      collectGarbage.everySeconds,
      garbageInput,
      'Delete images that nobody needs',
    ),
  ];
}

/** Creates each schedule, or brings the one that exists to what is configured. A paused one stays paused. */
export async function ensureSchedules(client: Client, configuration: SchedulesConfiguration): Promise<void> {
  for (const options of schedules(configuration)) {
    try {
      await client.schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(options.scheduleId).update((existing) => ({ ...options, state: existing.state }));
    }
  }
}

function schedule(
  scheduleId: string,
  workflowType: string,
  everySeconds: number,
  input: AutoscaleInput | CollectGarbageInput,
  staticSummary: string,
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
      staticSummary,
    },
  };
}
