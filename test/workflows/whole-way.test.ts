import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Plan } from '../../domain/plan.ts';
import {
  approveUpdate,
  FREEZES_WORKFLOW_ID,
  freezeUpdate,
  type ReleaseResult,
  releaseQuery,
  SearchAttribute,
  TASK_QUEUE,
  WorkflowType,
} from '../../workflows/contract.ts';
import type { WorkflowRig } from '../workflow-rig.ts';
import { Builders } from './builders.ts';
import { COMMIT, MANIFEST, World } from './world.ts';

const INPUT = {
  key: 'main',
  request: { service: 'sample', source: { kind: 'git', ref: 'main' }, requestedBy: 'ann', whenBusy: 'wait' },
} as const;
const APPROVAL_WITHIN_MS = 200_000;

jest.setTimeout(300_000);

describe('a release from a commit', () => {
  let rig: WorkflowRig | undefined;
  let world: World;
  let builders: Builders;

  beforeEach(() => {
    builders = new Builders([]);
  });
  afterEach(async () => {
    await builders.stop();
    await rig?.stop();
    rig = undefined;
  });

  it('is told in its plan what is frozen on the way, and waits for nothing to say so', async () => {
    world = new World();
    rig = await builders.start((client) => world.activities(client));
    const { client } = rig;
    const planned = (key: string) =>
      client.execute<(input: unknown) => Promise<Plan>>(WorkflowType.PlanRelease, {
        ...{ taskQueue: TASK_QUEUE, args: [{ ...INPUT, key }], workflowId: `plan/sample/${key}` },
      });
    const free = await planned('free');
    expect(free).not.toHaveProperty('freezes');
    const kept = await client.start('freezes', { taskQueue: TASK_QUEUE, workflowId: FREEZES_WORKFLOW_ID, args: [{}] });
    const scopes = [{ environment: 'prod' }, { service: 'other' }];
    const [freeze] = await Promise.all(
      scopes.map((scope) => kept.executeUpdate(freezeUpdate, { args: [{ scope, by: 'bob', reason: 'audit' }] })),
    );
    const frozen = await planned('frozen');
    expect(frozen.freezes).toEqual([
      { freeze, sentence: `everything in prod is frozen by bob: audit (${freeze?.id})` },
    ]);
    expect(frozen.digest).toBe(free.digest);
    expect(world.effects).toEqual([]);
  });

  it('builds what the plan says, tests that and brings it to production', async () => {
    world = new World();
    world.manifest = { ...MANIFEST, release: { ...MANIFEST.release, bakeSeconds: 0.5 } };
    rig = await builders.start((client) => world.activities(client));
    const { client } = rig;
    const options = { taskQueue: TASK_QUEUE, args: [INPUT] as [unknown] };
    const plan = await client.execute<(input: unknown) => Promise<Plan>>(WorkflowType.PlanRelease, {
      ...options,
      workflowId: 'plan/sample/main',
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      ...['build', 'deploy', 'test', 'promote', 'approve', 'shift', 'bake', 'retire'],
    ]);
    const release = await client.start<(input: unknown) => Promise<ReleaseResult>>(WorkflowType.Release, {
      ...options,
      workflowId: 'release/sample/main',
    });
    const deadline = Date.now() + APPROVAL_WITHIN_MS;
    while ((await release.query(releaseQuery)).wait?.reason !== 'approval') {
      if (Date.now() > deadline) throw new Error('it never asked for approval');
    }
    await release.executeUpdate(approveUpdate, { args: [{ by: 'bob', planDigest: plan.digest }] });
    const { outcome, view } = await release.result();

    expect(outcome).toBe('released');
    expect(view.bundle).toMatchObject({ image: { digest: 'sha256:push' }, testImages: { contract: {} } });
    expect(view.steps[0]).toMatchObject({ kind: 'build', outcome: 'done' });
    const build = await client.getHandle('build/sample/main').describe();
    expect(await build.staticSummary()).toBe(`Build sample 1.0.0 at ${COMMIT.slice(0, 10)}`);
    expect(await build.staticDetails()).toBe('Of release/sample/main, asked for by ann.');
    expect(build.typedSearchAttributes.get(SearchAttribute.Service)).toBe('sample');
    expect([...world.tags]).toEqual([['v1.0.0', 'sha256:push']]);
    expect([...world.apps.values()].map(({ app }) => app.container.docker.image)).toEqual([
      '127.0.0.1:5000/sample@sha256:push',
      '127.0.0.1:5000/sample@sha256:push',
    ]);
    expect(builders.live).toBe(0);
  });

  it('ends as failed when the build does, with its log, and nothing after it has begun', async () => {
    world = new World();
    const details = [{ stage: 'unit-test', logTail: 'not ok 1' }];
    builders.stageFault = async (stage) => {
      if (!stage.startsWith('unit-test')) return;
      throw ApplicationFailure.create({ type: 'BuildFailed', nonRetryable: true, message: 'exit 1', details });
    };
    rig = await builders.start((client) => world.activities(client));
    const { outcome, view } = await rig.client.execute<(input: unknown) => Promise<ReleaseResult>>(
      WorkflowType.Release,
      { taskQueue: TASK_QUEUE, args: [INPUT], workflowId: 'release/sample/main' },
    );
    expect(outcome).toBe('failed');
    expect(view.failure).toEqual({ type: 'BuildFailed', message: 'exit 1', step: 'build', details });
    expect(view.steps.map((step) => step.outcome)).toEqual(['failed', ...Array(view.steps.length - 1).fill('skipped')]);
    expect(world.effects).toEqual([]);
    expect(builders.live).toBe(0);
  });
});
