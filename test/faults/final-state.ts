import { expect } from '@jest/globals';
import { z } from 'zod';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { serversUp, trafficServers } from '../../activities/balancer/servers.ts';
import { ConsulClient } from '../../activities/consul/client.ts';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { revisionAppId } from '../../domain/environment.ts';
import { laneSchema } from '../../domain/schemas/api.ts';
import { achievedShares, MAX_WEIGHT } from '../../domain/traffic.ts';
import { answerOf } from '../../local/platform/answers.ts';
import type { Platform } from '../../local/platform/platform.ts';
import { until } from '../../local/platform/until.ts';
import { laneWorkflowId, WorkflowType } from '../../workflows/contract.ts';
import { apiOf } from './api.ts';
import { type FaultPlatform, SERVICE } from './fault-platform.ts';
import { sandboxProcesses } from './sandbox-processes.ts';

/** The one revision that lives in an environment. */
interface Live {
  readonly revision: string;
  readonly instances: number;
}

/** By environment. */
export type LiveRevisions = Readonly<Record<string, Live>>;

/** After a release the balancer forgets ended instances with its next render, and Temporal's index lags a second. */
const SETTLED_WITHIN_MS = 90_000;

/** What each system itself says there is of the service. */
interface Findings {
  readonly lanes: Readonly<
    Record<string, Live & { readonly holder: string | null; readonly queue: readonly string[] }>
  >;
  /** The balancer's own word: percent of traffic by its weights, and every server as `<revision> <state> <weight>`. */
  readonly balancer: Readonly<Record<string, { readonly shares: Counts; readonly servers: readonly string[] }>>;
  /** Shares that the traffic documents in Consul ask for. */
  readonly trafficDocuments: Readonly<Record<string, Counts>>;
  /** Consul's instances as `<environment> <revision>`, and bound names. */
  readonly consul: readonly string[];
  readonly marathon: {
    /** Healthy instances by app. */
    readonly apps: Counts;
    readonly deployments: readonly string[];
    readonly queue: readonly string[];
  };
  /** Live tasks by framework; a builder or a test that was left over would be a framework of its own. */
  readonly mesos: Counts;
  /** State of every container, also of ended ones. */
  readonly containers: readonly string[];
  /** Directories in which processes of command tasks work, such as those of a build. */
  readonly sandboxProcesses: readonly string[];
  /** Running workflows of releases and lanes. */
  readonly workflows: readonly string[];
}

type Counts = Readonly<Record<string, number>>;

/**
 * Holds every system to the same truth: in each environment exactly this revision lives, with all of the traffic by
 * the balancer's own word, its lane idle, and nothing else of the service is anywhere.
 */
export async function expectSettled(fault: FaultPlatform, live: LiveRevisions): Promise<void> {
  const settled = settledFindings(live);
  await until(
    'one live revision in each environment and nothing left over',
    async () => expect(await readFindings(fault)).toEqual(settled),
    { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
  );
}

function settledFindings(live: LiveRevisions): Findings {
  const each = <T>(of: (one: Live, environment: string) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(live).map(([environment, one]) => [environment, of(one, environment)]));
  const all = Object.entries(live);
  const total = all.reduce((sum, [, { instances }]) => sum + instances, 0);
  return {
    lanes: each((one) => ({ ...one, holder: null, queue: [] })),
    balancer: each(({ revision, instances }) => ({
      shares: { [revision]: 100 },
      servers: Array.from({ length: instances }, () => `${revision} up ${MAX_WEIGHT}`),
    })),
    trafficDocuments: each(({ revision }) => ({ [revision]: 100 })),
    consul: all
      .flatMap(([environment, { revision, instances }]) => [
        `name of ${SERVICE} in ${environment}`,
        ...Array.from({ length: instances }, () => `${environment} ${revision}`),
      ])
      .sort(),
    marathon: {
      apps: Object.fromEntries(
        all.map(([environment, { revision, instances }]) => [revisionAppId(environment, SERVICE, revision), instances]),
      ),
      deployments: [],
      queue: [],
    },
    mesos: { marathon: total },
    containers: Array.from({ length: total }, () => 'running'),
    sandboxProcesses: [],
    workflows: all.map(([environment]) => laneWorkflowId(environment, SERVICE)).sort(),
  };
}

async function readFindings(fault: FaultPlatform): Promise<Findings> {
  const { platform } = fault;
  const lanes = (await readLanes(platform)).filter(({ state }) => state.current !== undefined);
  const [balancer, consul, marathon, mesos, containers, workflows] = await Promise.all([
    readBalancer(platform),
    readConsul(platform),
    readMarathon(platform),
    readMesos(platform),
    readContainers(platform),
    readWorkflows(fault),
  ]);
  return {
    lanes: Object.fromEntries(
      lanes.map(({ state, holder, queue }) => [
        state.environment,
        {
          revision: state.current?.revision ?? '',
          instances: state.current?.instances ?? 0,
          holder: holder ?? null,
          queue,
        },
      ]),
    ),
    balancer,
    ...consul,
    marathon,
    mesos,
    containers,
    sandboxProcesses: sandboxProcesses(platform).map(({ directory }) => directory),
    workflows,
  };
}

function readLanes(platform: Platform) {
  const api = apiOf(platform, 'ann');
  return Promise.all(
    Object.keys(platform.urls.frontends).map((environment) =>
      api.call(`/v1/lanes/${environment}/${SERVICE}`, laneSchema),
    ),
  );
}

async function readBalancer(platform: Platform): Promise<Findings['balancer']> {
  const runtime = new BalancerRuntime({ address: platform.systems.balancer.runtime });
  const [states, { servers: counters }] = await Promise.all([runtime.serversState(), runtime.counters()]);
  return Object.fromEntries(
    Object.keys(platform.urls.frontends).flatMap((environment) => {
      const servers = trafficServers(runtime.address, environment, SERVICE, states, counters);
      if (servers.length === 0) return [];
      const weights = Object.fromEntries(servers.map(({ revision, weight }) => [revision, weight]));
      const said = servers.map(({ revision, status, weight }) => `${revision} ${status} ${weight}`);
      return [[environment, { shares: achievedShares(weights, serversUp(servers)), servers: said.sort() }]];
    }),
  );
}

const documentSchema = z.object({ shares: z.record(z.string(), z.number()) });

async function readConsul(platform: Platform): Promise<Pick<Findings, 'consul' | 'trafficDocuments'>> {
  const consul = new ConsulClient({ url: platform.systems.consul.url });
  try {
    const [services, documents] = await Promise.all([consul.agentServices(), consul.kvList('slipway/traffic/')]);
    return {
      consul: services
        .map(({ name, meta: { environment, revision } }) =>
          name === SERVICE
            ? `${environment} ${revision}`
            : `name of ${name.replace(`-${environment}`, '')} in ${environment}`,
        )
        .sort(),
      trafficDocuments: Object.fromEntries(
        documents.map(({ key, value }) => [key.split('/')[2] ?? key, documentSchema.parse(JSON.parse(value)).shares]),
      ),
    };
  } finally {
    consul.close();
  }
}

async function readMarathon(platform: Platform): Promise<Findings['marathon']> {
  const marathon = new MarathonClient({ url: platform.urls.marathon });
  const [apps, deployments, queue] = await Promise.all([marathon.listApps(), marathon.deployments(), marathon.queue()]);
  return {
    apps: Object.fromEntries(apps.map(({ id, tasksHealthy }) => [id, tasksHealthy ?? 0])),
    deployments: deployments.flatMap(({ affectedApps }) => affectedApps),
    queue: queue.map(({ app }) => app?.id ?? ''),
  };
}

const frameworksSchema = z.object({
  frameworks: z.array(z.object({ name: z.string(), tasks: z.array(z.unknown()) })),
});

async function readMesos(platform: Platform): Promise<Findings['mesos']> {
  const { frameworks } = frameworksSchema.parse(JSON.parse(await answerOf(`${platform.urls.mesos}/state`)));
  return Object.fromEntries(frameworks.map(({ name, tasks }) => [name, tasks.length]));
}

async function readContainers(platform: Platform): Promise<Findings['containers']> {
  const { engine } = platform.systems;
  const { root } = platform.supervisor.directories;
  const containers = await engine.client.listContainers({ all: true });
  // On the machine's own engine others have containers too; ours carry a path in our directory in a label.
  const ours = containers.filter(
    ({ Labels }) => engine.process !== undefined || Object.values(Labels).some((value) => value.startsWith(`${root}/`)),
  );
  return ours.map(({ State }) => State).sort();
}

async function readWorkflows({ temporal }: FaultPlatform): Promise<Findings['workflows']> {
  const types = [WorkflowType.Release, WorkflowType.Rollback, WorkflowType.Build, WorkflowType.Lane];
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN (${types.map((type) => `'${type}'`).join(', ')})`;
  const found: string[] = [];
  for await (const { workflowId } of temporal.workflow.list({ query })) found.push(workflowId);
  return found.sort();
}
