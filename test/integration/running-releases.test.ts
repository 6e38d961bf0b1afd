/** Which releases run, asked of a real Temporal server with the real release workflow. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createFreezeActivities } from '../../activities/temporal/freezes.ts';
import { createRunningReleaseActivities } from '../../activities/temporal/running-releases.ts';
import { bundleOf } from '../../domain/bundle.ts';
import { until } from '../../local/platform/until.ts';
import { abortUpdate, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import type { release } from '../../workflows/release.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { COMMIT, World } from '../workflows/world.ts';

jest.setTimeout(180_000);

let rig: WorkflowRig;
beforeAll(async () => {
  rig = await startWorkflowRig(
    new World().activities(() => rig.client),
    { server: 'dev' },
  );
});
afterAll(() => rig.stop());

it('lists a release with all its images while it runs, and not afterwards', async () => {
  const { listRunningReleases } = createRunningReleaseActivities(rig.client);
  const list = () => new MockActivityEnvironment().run(listRunningReleases);
  expect(await list()).toEqual([]);
  const { listFreezeWatchers } = createFreezeActivities(rig.client);
  const watchers = () => new MockActivityEnvironment().run(listFreezeWatchers);

  const image = { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` };
  const test = { repository: 'sample/test/contract', digest: `sha256:${'b'.repeat(64)}` };
  const bundle = bundleOf({
    service: 'sample',
    version: '1.0.0',
    commit: COMMIT,
    image,
    testImages: { contract: test },
    configVersion: 0,
    manifestDigest: `sha256:${'d'.repeat(64)}`,
  });
  // A key may hold slashes, as the id of a webhook's delivery may.
  const handle = await rig.client.start<typeof release>(WorkflowType.Release, {
    workflowId: releaseWorkflowId('sample', 'push/17'),
    taskQueue: TASK_QUEUE,
    args: [
      {
        key: 'push/17',
        request: { service: 'sample', source: { kind: 'bundle', bundle }, requestedBy: 'ann', whenBusy: 'wait' },
      },
    ],
  });
  const expected = {
    id: 'release/sample/push/17',
    service: 'sample',
    key: 'push/17',
    prepared: true,
    images: [image, test],
  };
  await until('the release to be listed', async () => expect(await list()).toEqual([expected]), { withinMs: 60_000 });
  expect(await watchers()).toEqual([{ holder: expected.id, service: 'sample' }]);

  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ann', reason: 'enough' }] });
  await handle.result();
  await until('the release to be gone', async () => expect(await list()).toEqual([]), { withinMs: 60_000 });
});
