import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type BuildInput, type BuildResult, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import type { WorkflowRig } from '../workflow-rig.ts';
import { Builders } from './builders.ts';

// Builders run all the while, and time is not skipped while an activity runs: this is real time on a real server.
jest.setTimeout(300_000);

const COMMIT = 'c'.repeat(40);
const INPUT: BuildInput = {
  service: 'sample',
  key: 'k1',
  commit: COMMIT,
  version: '1.0.0',
  build: { pipeline: 'node', dockerfile: 'Dockerfile', context: '.', timeoutSeconds: 600 },
  tests: [{ name: 'contract', dockerfile: 'test/contract/Dockerfile', environments: ['fat'], timeoutSeconds: 60 }],
};

let rig: WorkflowRig | undefined;
let builders = new Builders([]);
afterEach(async () => {
  await builders.stop();
  await rig?.stop();
  rig = undefined;
});

async function startBuild(input: BuildInput = INPUT) {
  rig = await builders.start();
  return rig.client.start<(input: BuildInput) => Promise<BuildResult>>(WorkflowType.Build, {
    workflowId: `build/${input.service}/${input.key}`,
    taskQueue: TASK_QUEUE,
    args: [input],
  });
}

/** The failure of an activity or of the workflow itself, below what the client wraps around it. */
async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await result.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error(`the workflow must fail, but: ${String(error)}`);
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure) return cause;
  }
  throw new Error(`no ApplicationFailure in ${String(error.cause)}`);
}

describe('build', () => {
  it('runs every stage on one builder, tells it to leave, and answers with digests', async () => {
    builders = new Builders(['works']);
    const result = await (await startBuild()).result();
    const tag = 'build-TIME-[0-9a-f]{12}';
    expect(builders.stages).toEqual([
      '1 checkout',
      '1 install: npm ci --ignore-scripts',
      '1 unit-test: npm test',
      '1 prune: npm prune --omit=dev --ignore-scripts',
      '1 image sample Dockerfile 1.0.0',
      '1 image-contract sample/test/contract test/contract/Dockerfile 1.0.0',
      expect.stringMatching(`^1 push sample:${tag}$`),
      expect.stringMatching(`^1 push-contract sample/test/contract:${tag}$`),
    ]);
    expect(result).toEqual({
      image: { repository: 'sample', digest: 'sha256:push' },
      testImages: { contract: { repository: 'sample/test/contract', digest: 'sha256:push-contract' } },
      builder: builders.orders[0]?.builderId,
      agent: 'ci-1',
      stages: ['checkout', 'install', 'unit-test', 'prune', 'image', 'image-contract', 'push', 'push-contract'].map(
        (stage) => ({ stage, seconds: 1 }),
      ),
    });
    expect(builders.live).toBe(0);
  });

  it('starts another builder elsewhere when one takes no work in time', async () => {
    builders = new Builders(['silent', 'works'], 8);
    const result = await (await startBuild()).result();
    expect(result.agent).toBe('ci-2');
    expect(builders.orders.map(({ excludeAgents }) => excludeAgents)).toEqual([[], ['agent-1']]);
    expect(new Set(builders.orders.map(({ builderId }) => builderId)).size).toBe(2);
    expect(builders.live).toBe(0);
  });

  it('starts from the first stage on another builder when one dies', async () => {
    builders = new Builders(['dies', 'works']);
    const result = await (await startBuild()).result();
    expect(result.agent).toBe('ci-2');
    expect(builders.stages.slice(0, 4)).toEqual([
      '1 checkout',
      '1 install: npm ci --ignore-scripts',
      '2 checkout',
      '2 install: npm ci --ignore-scripts',
    ]);
    expect(builders.orders[1]?.excludeAgents).toEqual(['agent-1']);
  });

  it('gives up after three builders, and says what became of each', async () => {
    builders = new Builders(['silent', 'fails-to-start', 'silent', 'works'], 4);
    const failure = await failureOf((await startBuild()).result());
    expect(failure.type).toBe('BuilderUnavailable');
    expect(failure.message).toMatch(/on ci-1: it did not answer.*on ci-2: no such program.*on ci-3/s);
    expect(builders.orders.map(({ excludeAgents }) => excludeAgents)).toEqual([
      [],
      ['agent-1'],
      ['agent-1', 'agent-2'],
    ]);
    expect(builders.live).toBe(0);
  });

  it('asks an agent again on which a builder was lost when no other takes one', async () => {
    builders = new Builders(['fails-to-start', 'homeless', 'fails-to-start', 'homeless', 'works']);
    const result = await (await startBuild()).result();
    expect(result.agent).toBe('ci-5');
    expect(builders.orders.map(({ excludeAgents }) => excludeAgents)).toEqual([[], ['agent-1'], [], ['agent-3'], []]);
    expect(builders.live).toBe(0);
  });

  it('gives up when no agent at all takes three builders', async () => {
    builders = new Builders(['homeless', 'homeless', 'homeless', 'works']);
    expect((await failureOf((await startBuild()).result())).type).toBe('BuilderUnavailable');
    expect(builders.orders).toHaveLength(3);
  });

  it('keeps away from an agent on which a builder was lost when the worker of the next one dies', async () => {
    builders = new Builders(['fails-to-start', 'refused', 'works'], 8);
    await (await startBuild()).result();
    expect(builders.orders.map(({ excludeAgents }) => excludeAgents)).toEqual([[], ['agent-1'], ['agent-1']]);
    expect(builders.live).toBe(0);
  });

  it.each(['silent-without-worker', 'refused'] as const)(
    'ends the builder by another activity when its own is told to stop and none takes it up: %s',
    async (behaviour) => {
      builders = new Builders([behaviour, 'works'], 8);
      const result = await (await startBuild()).result();
      const [first] = builders.orders;
      expect(result.agent).toBe('ci-2');
      expect(builders.endedLeft).toEqual([{ builderId: first?.builderId, activityId: first?.activityId }]);
      expect(builders.live).toBe(0);
      expect(builders.orders.map(({ excludeAgents }) => excludeAgents)).toEqual([[], []]);
    },
  );

  it("fails at once, with the log, when the service's own code fails a stage", async () => {
    builders = new Builders(['works', 'works']);
    builders.stageFault = async (stage) => {
      if (!stage.startsWith('unit-test')) return;
      const details = { stage: 'unit-test', logTail: 'not ok 1' };
      throw ApplicationFailure.create({
        type: 'BuildFailed',
        nonRetryable: true,
        message: 'exit 1',
        details: [details],
      });
    };
    const failure = await failureOf((await startBuild()).result());
    expect([failure.type, failure.details]).toEqual(['BuildFailed', [{ stage: 'unit-test', logTail: 'not ok 1' }]]);
    expect(builders.orders).toHaveLength(1);
    expect(builders.live).toBe(0);
  });

  it('tries a stage again on the same builder when a system does not answer for a moment', async () => {
    builders = new Builders(['works']);
    let faults = 2;
    builders.stageFault = async (stage) => {
      if (stage.startsWith('image sample') && faults-- > 0)
        throw ApplicationFailure.retryable('503', 'SystemUnavailable');
    };
    await (await startBuild()).result();
    expect(builders.orders).toHaveLength(1);
    expect(faults).toBe(-1);
  });

  it('goes elsewhere when a builder can not reach what it needs', async () => {
    builders = new Builders(['works', 'works']);
    builders.stageFault = async (stage) => {
      if (builders.orders.length === 1 && stage.startsWith('image')) {
        throw ApplicationFailure.retryable('no Docker engine', 'SystemUnavailable');
      }
    };
    expect((await (await startBuild()).result()).agent).toBe('ci-2');
  });

  it('ends the builder when it is cancelled', async () => {
    builders = new Builders(['works']);
    const started = Promise.withResolvers<void>();
    builders.stageFault = async (stage) => {
      if (!stage.startsWith('unit-test')) return;
      started.resolve();
      const beat = setInterval(() => Context.current().heartbeat(), 200);
      await Context.current().cancelled.finally(() => clearInterval(beat));
    };
    const handle = await startBuild();
    await started.promise;
    await handle.cancel();
    const error = await handle.result().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error instanceof WorkflowFailedError ? error.cause : undefined).toBeInstanceOf(CancelledFailure);
    expect(builders.live).toBe(0);
    expect(builders.orders).toHaveLength(1);
  });

  it('ends a build that takes longer than its whole time, although no stage does', async () => {
    builders = new Builders(['works']);
    builders.stageFault = async () => {
      await new Promise((resolve) => setTimeout(resolve, 700));
    };
    const failure = await failureOf(
      (await startBuild({ ...INPUT, build: { ...INPUT.build, timeoutSeconds: 2 } })).result(),
    );
    expect(failure.type).toBe('BuildFailed');
    expect(failure.message).toContain('2 s');
    expect(builders.stages.length).toBeLessThan(8);
    expect(builders.live).toBe(0);
  });
});
