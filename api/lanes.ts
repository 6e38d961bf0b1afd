import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { RevisionRecord } from '../domain/lane.ts';
import type { Lane } from '../domain/schemas/api.ts';
import { type LaneView, laneQuery, laneWorkflowId } from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { WORKFLOW_MS } from './deadlines.ts';

/** Lanes asked at once; a list of many must not crowd out the workers' own work. */
const CONCURRENCY = 16;

/** What runs where, as the lanes know it. */
export class Lanes {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;

  constructor(client: Client, configuration: ConfiguredNames) {
    this.client = client;
    this.configuration = configuration;
  }

  /** One lane; empty before the first release. `UnknownService`, `UnknownEnvironment`. */
  async view(environment: string, service: string): Promise<Lane> {
    this.require(environment, service);
    const handle = this.client.workflow.getHandle(laneWorkflowId(environment, service));
    try {
      return laneOf(await this.client.withDeadline(Date.now() + WORKFLOW_MS, () => handle.query(laneQuery)));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      return { state: { environment, service, lastRevision: 0 }, queue: [] };
    }
  }

  /** Every lane that the configuration allows, of one service or one environment if asked so. */
  async list(filter: { readonly environment?: string; readonly service?: string }): Promise<Lane[]> {
    this.require(filter.environment, filter.service);
    const environments =
      filter.environment === undefined ? Object.keys(this.configuration.environments) : [filter.environment];
    const services = filter.service === undefined ? Object.keys(this.configuration.services) : [filter.service];
    const wanted = services.flatMap((service) => environments.map((environment) => ({ environment, service })));
    const lanes: Lane[] = [];
    for (let start = 0; start < wanted.length; start += CONCURRENCY) {
      const some = wanted.slice(start, start + CONCURRENCY);
      lanes.push(...(await Promise.all(some.map(({ environment, service }) => this.view(environment, service)))));
    }
    return lanes;
  }

  private require(environment: string | undefined, service: string | undefined): void {
    if (environment !== undefined) requireEnvironment(this.configuration, environment);
    if (service !== undefined) requireService(this.configuration, service);
  }
}

/** A lane as the API shows it: without the variables that its revisions run with, since they may hold secrets. */
function laneOf({ drift, state, holder, queue, wait }: LaneView): Lane {
  const { current, earlier, previous, tolerated, vetoes, ...rest } = state;
  return {
    state: {
      ...rest,
      ...(current === undefined ? {} : { current: revisionOf(current) }),
      ...(previous === undefined ? {} : { previous: revisionOf(previous) }),
      ...(tolerated === undefined ? {} : { tolerated: [...tolerated] }),
      ...(earlier === undefined ? {} : { earlier: earlier.map(revisionOf) }),
      ...(vetoes === undefined ? {} : { vetoes: [...vetoes] }),
    },
    ...(holder === undefined ? {} : { holder }),
    queue: [...queue],
    ...(wait === undefined ? {} : { wait }),
    ...(drift === undefined ? {} : { drift }),
  };
}

function revisionOf({ revision, instances, bundle }: RevisionRecord): NonNullable<Lane['state']['current']> {
  return { revision, instances, bundle };
}
