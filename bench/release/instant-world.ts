import type { WorkflowClient } from '@temporalio/client';
import type { CanaryQuestion } from '../../activities/influx/canary.ts';
import { bundleOf } from '../../domain/bundle.ts';
import type { JudgeInputs } from '../../domain/judge/inputs.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { COMMIT, MANIFEST, World } from '../../test/workflows/world.ts';
import { type ReleaseResult, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';

const IMAGE = { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` };

/** Of fat and prod, with as many shifts as make up twenty steps, and no wait: a server's timers fire by the second. */
const TWENTY_STEPS: Manifest = {
  ...MANIFEST,
  release: {
    ...MANIFEST.release,
    canary: [
      { kind: 'weight', weight: 10 },
      { kind: 'judge', name: 'errors' },
      ...[12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80].map((weight) => ({ kind: 'weight', weight }) as const),
    ],
    bakeSeconds: 0,
    approvals: { count: 0, expiresSeconds: 3600 },
  },
};

/** Activities that are over at once; the world of the workflow tests, with a manifest for each service. */
export function instantActivities(client: () => WorkflowClient, manifest: Manifest = TWENTY_STEPS): object {
  const world = new World();
  const versions = new Map<string, number>();
  const figures = (share: number) => ({ requests: 10 * share, errors: 0, seconds: 1, latencyMs: 5 });
  return {
    ...world.activities(client),
    nothing: async () => {},
    readManifest: async ({ service }: { service: string }) => {
      const number = (versions.get(service) ?? 0) + 1;
      versions.set(service, number);
      return { manifest: { ...manifest, service, version: `${number}.0.0` }, digest: `sha256:${'d'.repeat(64)}` };
    },
    readJudgeInputs: async ({ policy, canaryShare, baselineShare }: CanaryQuestion): Promise<JudgeInputs> => ({
      policy,
      canaryShare,
      ...(baselineShare === undefined ? {} : { baselineShare }),
      windowSeconds: 60,
      intervals: Array.from({ length: 60 }, () => ({
        canary: figures(canaryShare),
        baseline: figures(baselineShare ?? 100 - canaryShare),
        ...(baselineShare === undefined ? {} : { others: figures(100 - canaryShare - baselineShare) }),
      })),
    }),
  };
}

/** Takes a service from what serves to the next revision. */
export async function release(client: WorkflowClient, service: string, key: string): Promise<ReleaseResult> {
  return (await startRelease(client, service, key)).result();
}

/** Begins to take a service from what serves to the next revision. */
export function startRelease(client: WorkflowClient, service: string, key: string) {
  const bundle = bundleOf({
    service,
    version: key,
    commit: COMMIT,
    image: IMAGE,
    testImages: { contract: IMAGE },
    configVersion: 0,
    manifestDigest: 'sha256:d',
  });
  const request = { service, source: { kind: 'bundle', bundle }, requestedBy: 'ann', whenBusy: 'wait' };
  return client.start<(input: unknown) => Promise<ReleaseResult>>(WorkflowType.Release, {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId(service, key),
    args: [{ key, request }],
  });
}
