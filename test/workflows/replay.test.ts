import { describe, expect, it, jest } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { type RecordedHistory, recordedHistories } from '../replay/histories.ts';
import { installRuntime, workflowBundle } from '../workflow-rig.ts';

jest.setTimeout(120_000);

/** Kinds of run that must be among the histories: an empty folder must not pass. */
const KINDS = ['audit', 'build', 'lane', 'autoscale', 'collect-garbage', 'keepWritable'];

installRuntime();
const histories = await recordedHistories();

async function replay({ name, history }: RecordedHistory): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, name);
}

describe('recorded histories', () => {
  it.each(KINDS)('hold a run of %s', (kind) => {
    expect(histories.filter(({ name }) => name.startsWith(`${kind}`)).length).toBeGreaterThan(0);
  });

  it.each(histories.map((recorded) => [recorded.name, recorded] as const))('replay: %s', async (_, recorded) => {
    await replay(recorded);
  });

  it('would not replay if a workflow did something else', async () => {
    const recorded = histories.find(({ name }) => name.startsWith('collect-garbage'));
    if (!recorded) throw new Error('no collection is recorded');
    const text = JSON.stringify(recorded).replaceAll('"listRevisions"', '"listAnotherWay"');
    await expect(replay(JSON.parse(text))).rejects.toMatchObject({ name: 'DeterminismViolationError' });
  });
});
