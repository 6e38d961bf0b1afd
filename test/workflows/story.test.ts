/** Who has the Temporal UI alone sees of everything that a run asks for what it is for. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { FREEZES_WORKFLOW_ID, laneWorkflowId, releaseWorkflowId, TASK_QUEUE } from '../../workflows/contract.ts';
import type { rollback } from '../../workflows/rollback.ts';
import { askedBy } from '../event-summaries.ts';
import { approve, ended, released, rig, start, startRelease, world } from './release-rig.ts';

jest.setTimeout(300_000);
beforeEach(start);
afterEach(() => rig?.stop());

it('every activity, local or not, and every timer has a line in the Temporal UI', async () => {
  await released('1.0.0');
  await released('2.0.0');
  world.errorPercent = { '3.0.0': 60 };
  const bad = await startRelease('3.0.0');
  await approve(bad);
  expect((await ended(bad)).outcome).toBe('rolled-back');
  const back = await rig.client.start<typeof rollback>('rollback', {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId('sample', 'back'),
    args: [{ key: 'back', service: 'sample', environment: 'prod', requestedBy: 'bob', reason: 'slow' }],
  });
  expect((await ended(back)).outcome).toBe('rolled-back');

  const runs = [
    ...['1.0.0', '2.0.0', '3.0.0', 'back'].map((key) => releaseWorkflowId('sample', key)),
    ...['fat', 'prod'].map((environment) => laneWorkflowId(environment, 'sample')),
    FREEZES_WORKFLOW_ID,
  ];
  const asked = await Promise.all(
    runs.map(async (id) => {
      const { events } = await rig.client.getHandle(id).fetchHistory();
      return askedBy(events ?? []).map(({ name, summary }) => ({ id, name, summary }));
    }),
  );
  const all = asked.flat();
  expect(all.filter(({ summary }) => summary === undefined || summary === '')).toEqual([]);
  // Of each kind there was one, so that none is left out by mistake.
  const names = new Set(all.map(({ name }) => name));
  for (const name of ['timer', 'setTraffic', 'writeLedger', 'checkRollbackReadiness', 'askAdmission', 'watchDrift']) {
    expect(names).toContain(name);
  }
});
