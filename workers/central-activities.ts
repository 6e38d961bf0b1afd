import type { WorkflowClient } from '@temporalio/client';
import { createBalancerActivities } from '../activities/balancer/activities.ts';
import { createRunBuilderActivities } from '../activities/build/run-builder.ts';
import { createChatActivities } from '../activities/chat/activities.ts';
import { createConsulActivities } from '../activities/consul/activities.ts';
import { createDnsActivities } from '../activities/dns/activities.ts';
import { createDriftActivities } from '../activities/drift/activities.ts';
import { createEnvironmentActivities, type EnvironmentFacts } from '../activities/environments/activities.ts';
import { createGitActivities } from '../activities/git/activities.ts';
import { createInfluxActivities } from '../activities/influx/activities.ts';
import { createCanaryActivities } from '../activities/influx/canary.ts';
import { createLaneActivities } from '../activities/lane/activities.ts';
import { createLedgerActivities } from '../activities/ledger/activities.ts';
import type { Ledger } from '../activities/ledger/client.ts';
import { createMarathonActivities } from '../activities/marathon/activities.ts';
import { freeCapacityReader } from '../activities/mesos/free-capacity.ts';
import { createReadinessActivities } from '../activities/readiness/activities.ts';
import { createRegistryActivities } from '../activities/registry/activities.ts';
import { missingPartsReader } from '../activities/registry/missing-parts.ts';
import { createRetentionActivities } from '../activities/registry/retention.ts';
import { createRemovalActivities } from '../activities/revision/removal.ts';
import { createFreezeActivities } from '../activities/temporal/freezes.ts';
import { createRunningReleaseActivities } from '../activities/temporal/running-releases.ts';
import { createTestingActivities } from '../activities/testing/run-test.ts';
import type { Configuration } from '../domain/schemas/config.ts';

/** Every activity that the orchestrator takes, from the configuration. @param cacheDir for git mirrors */
export function createCentralActivities(
  configuration: Configuration,
  client: WorkflowClient,
  ledger: Ledger,
  cacheDir: string,
) {
  const { consul, registry, balancers, services } = configuration;
  const environments = Object.entries(configuration.environments);
  const marathon = createMarathonActivities(
    Object.fromEntries(environments.map(([name, { marathon }]) => [name, { url: marathon.url, group: `/${name}` }])),
  );
  const balancer = createBalancerActivities({
    consul,
    environments: Object.fromEntries(
      environments.map(([name, { balancer }]) => [name, balancers[balancer.name]?.runtime ?? []]),
    ),
  });
  const config = createConsulActivities(consul);
  const influx = createInfluxActivities(configuration.influx);
  return {
    ...createEnvironmentActivities(environmentFacts(configuration), configuration.groups),
    ...createGitActivities({ services, cacheDir }),
    ...createLaneActivities(client),
    ...createRunningReleaseActivities(client),
    ...createFreezeActivities(client),
    ...marathon,
    ...balancer,
    ...config,
    ...createRemovalActivities({ ...balancer, ...marathon }),
    ...createDriftActivities({
      apps: marathon.observeApps,
      instances: marathon.tellInstances,
      traffic: balancer.observeWeights,
      places: config.observePlaces,
    }),
    ...createDnsActivities({ consul, dns: consul.dns }),
    ...createLedgerActivities(ledger),
    ...influx,
    ...createCanaryActivities(influx),
    ...createRegistryActivities(registry),
    ...createReadinessActivities({
      missingParts: missingPartsReader(registry),
      resolveConfig: createConsulActivities(consul).resolveConfig,
      freeCapacity: freeCapacityReader(configuration.mesos),
    }),
    ...createRetentionActivities({
      services: Object.entries(services).map(([service, { branch }]) => ({ service, branch })),
      graceSeconds: configuration.schedules.collectGarbage.graceSeconds,
      host: registry.host,
    }),
    ...createRunBuilderActivities(configuration),
    ...createTestingActivities(configuration),
    ...createChatActivities(configuration.chat),
  };
}

/** What workflows may know of the configured environments. */
export function environmentFacts(configuration: Configuration): readonly EnvironmentFacts[] {
  return Object.entries(configuration.environments).map(([name, environment]) => {
    const { agentAttribute, balancer, releasers, tier, windows } = environment;
    const [attribute = '', ...value] = agentAttribute.split(':');
    return {
      name,
      tier,
      agentAttribute: { name: attribute, value: value.join(':') },
      balancer: { address: balancer.address, port: balancer.port },
      registry: configuration.registry.address,
      ...(releasers === undefined
        ? {}
        : { releasers: { name: releasers, members: configuration.groups[releasers] ?? [] } }),
      ...(windows === undefined ? {} : { windows }),
    };
  });
}
