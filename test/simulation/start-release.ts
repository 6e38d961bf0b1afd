import type { WorkflowHandle } from '@temporalio/client';
import type { WhenBusy } from '../../domain/admission.ts';
import { bundleOf } from '../../domain/bundle.ts';
import type { ReleaseRequest } from '../../domain/release.ts';
import {
  type ReleaseResult,
  type RollbackInput,
  releaseWorkflowId,
  TASK_QUEUE,
  WorkflowType,
} from '../../workflows/contract.ts';
import type { SimulationRig } from './rig.ts';
import type { ReleaseScript, Scenario } from './scenario.ts';
import type { Violation } from './violation.ts';
import type { World } from './world/world.ts';

/** Going back after the end: nothing is said to it, and nothing is approved. */
export const wayBack = (last: ReleaseScript): ReleaseScript => ({
  ...last,
  ...{
    version: BACK,
    clicks: [],
    handEdit: undefined,
    closure: undefined,
    illness: undefined,
    edit: undefined,
    imageGone: 0,
    requestedBy: 'ann',
  },
});

/** Key of the run that goes back. */
const BACK = 'back';

export type ReleaseHandle = WorkflowHandle<() => Promise<ReleaseResult>>;

/** A release of a seed, and all that it meets. */
export interface Running {
  readonly rig: SimulationRig;
  readonly scenario: Scenario;
  readonly script: ReleaseScript;
  readonly world: World;
  readonly violations: Violation[];
}

/** Starts what a script asks for: a release of an image that somebody has pushed, or the way back from the last one. */
export async function start(
  { rig, scenario: { service }, script, world }: Running,
  whenBusy: WhenBusy,
): Promise<ReleaseHandle> {
  const { version, source } = script;
  if (version === BACK) return startBack(rig, service);
  const image = { repository: service, digest: world.registry.push(service, version) };
  const bundle = bundleOf({
    ...{ service, version, commit: version, image, testImages: { contract: image } },
    ...{ configVersion: script.configVersion, manifestDigest: 'sha256:m' },
  });
  const request: ReleaseRequest = {
    service,
    source: source === 'git' ? { kind: 'git', ref: version } : { kind: 'bundle', bundle },
    requestedBy: script.requestedBy,
    whenBusy,
    configVersion: script.configVersion,
  };
  return rig.client.start<() => Promise<ReleaseResult>>(WorkflowType.Release, {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId(service, version),
    args: [{ key: version, request }] as never,
  });
}

function startBack(rig: SimulationRig, service: string): Promise<ReleaseHandle> {
  const input: RollbackInput = {
    ...{ key: BACK, service, environment: 'prod', requestedBy: 'ann', reason: 'it was better before' },
  };
  return rig.client.start<() => Promise<ReleaseResult>>(WorkflowType.Rollback, {
    taskQueue: TASK_QUEUE,
    workflowId: releaseWorkflowId(service, BACK),
    args: [input] as never,
  });
}
