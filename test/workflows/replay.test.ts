import { describe, expect, it, jest } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import type { StepRecord } from '../../domain/release.ts';
import { WorkflowType } from '../../workflows/contract.ts';
import { featuresOf, fewest } from '../replay/features.ts';
import { type RecordedHistory, recordedHistories } from '../replay/histories.ts';
import { installRuntime, workflowBundle } from '../workflow-rig.ts';

jest.setTimeout(300_000);

/** Every kind of step of a release, each with every way in which it can end. */
const STEPS = {
  build: ['done', 'failed'],
  deploy: ['done', 'failed', 'skipped', 'undone'],
  test: ['done', 'failed', 'skipped'],
  promote: ['done', 'failed', 'skipped'],
  approve: ['done', 'failed', 'skipped'],
  shift: ['done', 'failed', 'skipped', 'undone'],
  hold: ['done', 'failed', 'skipped'],
  judge: ['done', 'failed', 'skipped'],
  bake: ['done', 'failed', 'skipped'],
  retire: ['done', 'failed', 'skipped'],
  rollback: ['done'],
} satisfies Readonly<Record<StepRecord['kind'], readonly StepRecord['outcome'][]>>;

/** What runs must have gone through, so that an empty or a poor folder does not pass; see `featuresOf`. */
const FEATURES = [
  ...Object.values(WorkflowType),
  ...Object.entries(STEPS).flatMap(([kind, outcomes]) => outcomes.map((outcome) => `release step ${kind} ${outcome}`)),
  ...['released', 'rolled-back', 'failed', 'aborted'].map((outcome) => `release is ${outcome}`),
  ...['pass', 'fail', 'inconclusive'].map((result) => `release verdict ${result}`),
  ...[
    ...['approve', 'reject', 'abort', 'rollback', 'pause', 'resume', 'skipHold', 'skipAnalysis', 'promoteFully'],
    ...['retryStep', 'adopt', 'revert'],
  ].map((update) => `release update ${update}`),
  'release ends canceled',
  'release signal superseded',
  'release signal freezesChanged',
  'freezes update freeze',
  'freezes update unfreeze',
  'build ends failed',
  'build ends canceled',
  'rollback is rolled-back',
  'rollback is failed',
  'rollback ends canceled',
  'lane signal scale',
  'lane update adopt',
  'lane update revert',
  'lane update liftVeto',
  'lane patch drift',
  'lane patch drift-resolved',
];

installRuntime();
const histories = await recordedHistories();

async function replay({ name, history }: RecordedHistory): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, name);
}

describe('recorded histories', () => {
  it.each(FEATURES)('hold a run of: %s', (feature) => {
    expect(histories.some(({ history }) => featuresOf(history).has(feature))).toBe(true);
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

describe('the choice of histories', () => {
  const run = (name: string, ...signals: string[]) => ({
    name,
    history: {
      events: signals.map((signalName) => ({
        eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED',
        workflowExecutionSignaledEventAttributes: { signalName },
      })),
    },
  });

  it('is of as few as go through all that any went through, the shortest of those that do', () => {
    const chosen = fewest([run('a', 'x'), run('long', 'x', 'y', 'y'), run('short', 'x', 'y'), run('other', 'z')]);
    expect(chosen.map(({ name }) => name)).toEqual(['short', 'other']);
  });
});
