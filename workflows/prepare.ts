import { ApplicationFailure } from '@temporalio/workflow';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { EnvironmentActivities, EnvironmentFacts } from '../activities/environments/activities.ts';
import type { GitActivities } from '../activities/git/activities.ts';
import type { LaneActivities } from '../activities/lane/activities.ts';
import type { RegistryActivities } from '../activities/registry/activities.ts';
import type { Bundle } from '../domain/bundle.ts';
import { FailureType } from '../domain/failures.ts';
import type { RevisionRecord } from '../domain/lane.ts';
import { makePlan } from '../domain/make-plan.ts';
import type { Manifest } from '../domain/manifest.ts';
import type { Plan, Running } from '../domain/plan.ts';
import type { ReleaseRequest } from '../domain/release.ts';
import type { ReleaseInput } from './contract.ts';
import { activities, change, READ } from './options.ts';

/** A request with everything that had to be read for it. */
export interface Prepared {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly environments: readonly EnvironmentFacts[];
}

/**
 * Reads what a request means and computes its plan. Changes nothing.
 *
 * @throws ActivityFailure `UnknownService`, `UnknownCommit`, `ManifestInvalid`; ApplicationFailure
 * `UnknownEnvironment`, `ImageMissing`; details hold every error with its path
 */
export async function prepare(request: ReleaseRequest): Promise<Prepared> {
  const { service, source } = request;
  const git = activities<GitActivities>(change(300), `Read the repository of ${service}`);
  const ref = source.kind === 'git' ? source.ref : source.bundle.commit;
  const { commit } = await git.resolveCommit({ service, ref });
  if (source.kind === 'bundle') await requireImage(source.bundle);
  const [{ manifest, digest }, environments] = await Promise.all([
    git.readManifest({ service, commit }),
    activities<EnvironmentActivities>(READ, 'Which environments are configured').readEnvironments(),
  ]);
  const lanes = await activities<LaneActivities>(READ, `What runs of ${service} now`).readLanes({
    service,
    environments: manifest.environments.map(({ name }) => name),
  });
  const running: Record<string, Running> = {};
  for (const { state } of lanes) {
    const now = runningOf(state.current);
    if (now) running[state.environment] = now;
  }
  const result = makePlan({
    manifest,
    manifestDigest: digest,
    commit,
    configVersion: await configVersionOf(request, manifest),
    environments,
    running,
    built: source.kind === 'bundle',
    ...(request.until === undefined ? {} : { until: request.until }),
  });
  if (!result.ok) {
    const said = result.errors.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw ApplicationFailure.nonRetryable(said, result.type, result.errors);
  }
  return { plan: result.plan, manifest, environments };
}

/** What a plan needs to know of the revision that serves. */
export function runningOf(current: RevisionRecord | undefined): Running | undefined {
  return (
    current && {
      revision: current.revision,
      instances: current.instances,
      configVersion: current.bundle.configVersion,
    }
  );
}

/** Computes the plan of a request without running it. */
export async function planRelease(input: ReleaseInput): Promise<Plan> {
  return (await prepare(input.request)).plan;
}

/** The version asked for, that of the bundle, or the one that is current at the end of the way. */
async function configVersionOf(request: ReleaseRequest, manifest: Manifest): Promise<number> {
  if (request.configVersion !== undefined) return request.configVersion;
  if (request.source.kind === 'bundle') return request.source.bundle.configVersion;
  const environment = request.until ?? manifest.environments.at(-1)?.name;
  if (environment === undefined) return 0;
  const current = await activities<ConsulActivities>(READ, `Current config version in ${environment}`).resolveConfig({
    environment,
    service: request.service,
  });
  return current?.version ?? 0;
}

/** Retention may have deleted what an old bundle names; that is better known now than by instances that never start. */
async function requireImage({ image }: Bundle): Promise<void> {
  const exists = await activities<RegistryActivities>(change(30), `Is ${image.repository} still there`).imageExists({
    image,
  });
  if (exists) return;
  throw ApplicationFailure.nonRetryable(
    `${image.repository}@${image.digest} is not in the registry any more; release its commit again`,
    FailureType.ImageMissing,
  );
}
