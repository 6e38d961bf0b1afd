import { describe, expect, it } from '@jest/globals';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { schedules } from './schedules.ts';

const [autoscale, collectGarbage] = schedules({
  autoscale: { everySeconds: 5, windowSeconds: 15 },
  collectGarbage: { everySeconds: 86_400, graceSeconds: 3600 },
});

describe('the schedules', () => {
  it.each([
    ['autoscale', autoscale],
    ['collect-garbage', collectGarbage],
  ])('%s runs once at a time, and makes up for a minute at most', (id, schedule) => {
    expect(schedule?.scheduleId).toBe(id);
    expect(schedule?.policies).toEqual({ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' });
  });

  it('run as often as configured, with what is configured', () => {
    expect(autoscale?.spec).toEqual({ intervals: [{ every: 5_000 }] });
    expect(autoscale?.action).toMatchObject({ workflowType: 'autoscale', args: [{ windowSeconds: 15 }] });
    expect(collectGarbage?.spec).toEqual({ intervals: [{ every: 86_400_000 }] });
    expect(collectGarbage?.action).toMatchObject({
      workflowType: 'collectGarbage',
      args: [{ services: [], dryRun: false }],
    });
  });

  it('say in the Temporal UI what their runs are', () => {
    expect(autoscale?.action).toMatchObject({
      staticSummary: 'Scale by load',
      staticDetails: expect.stringContaining('the lane decides'),
    });
    expect(collectGarbage?.action).toMatchObject({
      staticSummary: 'Delete images that nobody needs',
      staticDetails: expect.stringContaining('stays'),
    });
  });
});
