import { ApplicationFailure } from '@temporalio/workflow';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { EnvironmentActivities, EnvironmentFacts } from '../activities/environments/activities.ts';
import type { GitActivities } from '../activities/git/activities.ts';
import type { LaneActivities } from '../activities/lane/activities.ts';
import type { RegistryActivities } from '../activities/registry/activities.ts';
import type { FreezeActivities } from '../activities/temporal/freezes.ts';
import { type Group, impossibleApprovals } from '../domain/approval.ts';
import { type Bundle, bundleOf } from '../domain/bundle.ts';
import type { ConfigDiff } from '../domain/config-diff.ts';
import { FailureType } from '../domain/failures.ts';
import type { Freeze } from '../domain/freeze.ts';
import type { RevisionRecord } from '../domain/lane.ts';
import { makePlan } from '../domain/make-plan.ts';
import type { Manifest } from '../domain/manifest.ts';
import { type Plan, type Running, stepEnvironment } from '../domain/plan.ts';
import type { ReleaseRequest } from '../domain/release.ts';
import type { Veto } from '../domain/veto.ts';
import { ask } from './ask.ts';
import type { ReleaseInput } from './contract.ts';
import { activities, change, READ } from './options.ts';

/** What is told of a config version. */
type ConfigFound = { readonly version: number } | undefined;

/** A request with everything that had to be read for it. */
export interface Prepared {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly environments: readonly EnvironmentFacts[];
  /** Those that the plan's approvals name. */
  readonly groups: readonly Group[];
}

/**
 * Reads what a request means and computes its plan. Changes nothing.
 *
 * @param freezes for the plan to tell; a release needs none, since its gate asks for them
 * @throws ActivityFailure `UnknownService`, `UnknownCommit`, `ManifestInvalid`; ApplicationFailure
 * `UnknownEnvironment`, `ImageMissing`, `NotPermitted`, `ApprovalImpossible`; details hold every error with its path
 */
export async function prepare(request: ReleaseRequest, freezes: readonly Freeze[] = []): Promise<Prepared> {
  const { service, source } = request;
  const git = activities<GitActivities>(change(300), `Read the repository of ${service}`);
  const ref = source.kind === 'git' ? source.ref : source.bundle.commit;
  const { commit } = await git.resolveCommit({ service, ref });
  if (source.kind === 'bundle') await requireImage(source.bundle);
  const [{ manifest, digest }, environments] = await Promise.all([
    git.readManifest({ service, commit }),
    ask<EnvironmentActivities, readonly EnvironmentFacts[]>('Which environments are configured', (configured) =>
      configured.readEnvironments(),
    ),
  ]);
  const lanes = await activities<LaneActivities>(READ, `What runs of ${service} now`).readLanes({
    service,
    environments: manifest.environments.map(({ name }) => name),
  });
  const running: Record<string, Running> = {};
  const vetoes: Record<string, readonly Veto[]> = {};
  for (const { state } of lanes) {
    vetoes[state.environment] = state.vetoes ?? [];
    const now = runningOf(state.current);
    if (now) running[state.environment] = now;
  }
  const configVersion = await configVersionOf(request, manifest);
  const result = makePlan({
    manifest,
    manifestDigest: digest,
    commit,
    configVersion,
    environments,
    running,
    configDiff: await configDiffs(request, manifest, configVersion, running),
    vetoes,
    freezes,
    ...(source.kind === 'bundle' ? { bundle: withConfig(source.bundle, configVersion).id } : {}),
    ...(request.until === undefined ? {} : { until: request.until }),
  });
  if (!result.ok) {
    const said = result.errors.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw ApplicationFailure.nonRetryable(said, result.type, result.errors);
  }
  const { plan } = result;
  refuseRequester(plan, environments, request.requestedBy);
  return { plan, manifest, environments, groups: await approvingGroups(plan, request.requestedBy) };
}

/** Whoever may not release to an environment is told before anything begins. The gate asks again. */
function refuseRequester(plan: Plan, environments: readonly EnvironmentFacts[], requestedBy: string): void {
  const visited = new Set(plan.steps.map(stepEnvironment));
  for (const { name, releasers } of environments) {
    if (!visited.has(name) || releasers === undefined || releasers.members.includes(requestedBy)) continue;
    throw ApplicationFailure.nonRetryable(
      `${requestedBy} is not in ${releasers.name}, who alone may release to ${name}`,
      FailureType.NotPermitted,
    );
  }
}

/** The groups whose approval the plan asks for. @throws ApplicationFailure `ApprovalImpossible` */
async function approvingGroups(plan: Plan, requestedBy: string): Promise<readonly Group[]> {
  const names = new Set(plan.steps.flatMap((step) => (step.kind === 'approve' && step.group ? [step.group] : [])));
  if (names.size === 0) return [];
  const groups = await activities<EnvironmentActivities>(READ, 'Who belongs to which group').readGroups();
  const impossible = impossibleApprovals(plan.steps, groups, requestedBy);
  if (impossible.length > 0) {
    throw ApplicationFailure.nonRetryable(
      impossible.map(({ step, message }) => `${step}: ${message}`).join('; '),
      FailureType.ApprovalImpossible,
      impossible.map(({ step, message }) => ({ path: step, message })),
    );
  }
  return [...names].map((name) => ({ name, members: groups[name] ?? [] }));
}

/** The bundle with a version of the configuration: with another one it is another bundle, and so has another id. */
export function withConfig(bundle: Bundle, configVersion: number): Bundle {
  return bundleOf({ ...bundle, configVersion });
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

/** Computes the plan of a request without running it, and tells what is frozen on its way. */
export async function planRelease({ request }: ReleaseInput): Promise<Plan> {
  const freezes = await ask<FreezeActivities, readonly Freeze[]>('What is frozen', (kept) => kept.readFreezes());
  return (await prepare(request, freezes)).plan;
}

/** The version asked for, that of the bundle, or the one that is current at the end of the way. */
async function configVersionOf(request: ReleaseRequest, manifest: Manifest): Promise<number> {
  if (request.configVersion !== undefined) return request.configVersion;
  if (request.source.kind === 'bundle') return request.source.bundle.configVersion;
  const environment = request.until ?? manifest.environments.at(-1)?.name;
  if (environment === undefined) return 0;
  const { service } = request;
  const current = await ask<ConsulActivities, ConfigFound>(`Current config version in ${environment}`, (consul) =>
    consul.resolveConfig({ environment, service }),
  );
  return current?.version ?? 0;
}

/** How the configuration differs in each environment of the way in which another version serves. */
async function configDiffs(
  { service, until }: ReleaseRequest,
  { environments }: Manifest,
  to: number,
  running: Readonly<Record<string, Running>>,
): Promise<Record<string, ConfigDiff>> {
  const found: Record<string, ConfigDiff> = {};
  const last = environments.findIndex(({ name }) => name === until);
  for (const { name: environment } of last < 0 ? environments : environments.slice(0, last + 1)) {
    const from = running[environment]?.configVersion ?? 0;
    if (from === to) continue;
    found[environment] = await ask<ConsulActivities, ConfigDiff>(
      `What ${to === 0 ? 'no config version' : `config version ${to}`} changes in ${environment}`,
      (consul) => consul.compareConfig({ environment, service, from, to }),
    );
  }
  return found;
}

/** Retention may have deleted what an old bundle names; that is better known now than by instances that never start. */
async function requireImage({ image }: Bundle): Promise<void> {
  const exists = await ask<RegistryActivities, boolean>(`Is ${image.repository} still there`, (registry) =>
    registry.imageExists({ image }),
  );
  if (exists) return;
  throw ApplicationFailure.nonRetryable(
    `${image.repository}@${image.digest} is not in the registry any more; release its commit again`,
    FailureType.ImageMissing,
  );
}
