import { ApplicationFailure } from '@temporalio/workflow';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import { type Bundle, pullReference } from '../domain/bundle.ts';
import { configKey } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { RevisionSpec } from '../domain/revision-app.ts';
import { ask } from './ask.ts';
import type { Prepared } from './prepare.ts';

/**
 * How the revision of a release runs in an environment: the bundle, with the manifest's variables for it and the
 * configuration of the plan.
 *
 * @throws ApplicationFailure `ConfigMissing` when that version is not published there
 */
export async function releasedSpec(
  { manifest, plan }: Prepared,
  bundle: Bundle,
  facts: EnvironmentFacts,
  revision: string,
): Promise<RevisionSpec> {
  const { service, run } = manifest;
  const environment = facts.name;
  const version = plan.configVersion;
  if (version > 0) await requireConfig(service, environment, version);
  const own = manifest.environments.find(({ name }) => name === environment);
  return {
    environment,
    service,
    revision,
    bundle: bundle.id,
    image: pullReference(facts.registry, bundle.image),
    env: {
      ...run.env,
      ...own?.env,
      SLIPWAY_VERSION: bundle.version,
      ...(version > 0 ? { SLIPWAY_CONFIG_KEY: configKey(environment, service, version) } : {}),
    },
    cpus: run.cpus,
    memoryMiB: run.memoryMiB,
    healthPath: run.healthPath,
    startSeconds: run.startSeconds,
    instances: 0,
    agentAttribute: facts.agentAttribute,
  };
}

async function requireConfig(service: string, environment: string, version: number): Promise<void> {
  const found = await ask<ConsulActivities, unknown>(
    `Config version ${version} of ${service} in ${environment}`,
    (consul) => consul.resolveConfig({ environment, service, version }),
  );
  if (found) return;
  throw ApplicationFailure.nonRetryable(
    `version ${version} of the configuration of ${service} is not published in ${environment}`,
    FailureType.ConfigMissing,
  );
}
