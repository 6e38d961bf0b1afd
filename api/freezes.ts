import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { digestOf } from '../domain/digest.ts';
import { FailureType } from '../domain/failures.ts';
import { type Freeze, type FreezeScope, scopeText } from '../domain/freeze.ts';
import type { FreezeOrder } from '../domain/schemas/freeze.ts';
import {
  type CommandInput,
  FREEZES_WORKFLOW_ID,
  type FreezesInput,
  freezesQuery,
  freezeUpdate,
  TASK_QUEUE,
  unfreezeUpdate,
  WorkflowType,
} from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { WORKFLOW_MS } from './deadlines.ts';
import { Problem } from './problem.ts';
import type { Command } from './releases.ts';

/** What is frozen, as the workflow that keeps the freezes knows it. Failures are `Problem`s. */
export class Freezes {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;

  constructor(client: Client, configuration: ConfiguredNames) {
    this.client = client;
    this.configuration = configuration;
  }

  /** The freezes that hold, in the order in which they came. */
  async list(): Promise<readonly Freeze[]> {
    const kept = this.client.workflow.getHandle(FREEZES_WORKFLOW_ID);
    try {
      return (await this.client.withDeadline(Date.now() + WORKFLOW_MS, () => kept.query(freezesQuery))).freezes;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      return [];
    }
  }

  /**
   * Stops forward moves in a scope. `UnknownService`, `UnknownEnvironment`; `RequestInvalid` for an end that is past;
   * `ClickUsed` when the click has made another freeze.
   */
  async freeze({ reason, scope, until }: FreezeOrder, { by, clickId }: Command): Promise<Freeze> {
    this.require(scope);
    const input: FreezesInput = {};
    const made = await this.client.withDeadline(Date.now() + WORKFLOW_MS, () =>
      this.client.workflow.executeUpdateWithStart(freezeUpdate, {
        updateId: `freeze:${by}:${clickId}`,
        args: [{ scope, by, reason, ...(until === undefined ? {} : { until }) }],
        startWorkflowOperation: new WithStartWorkflowOperation(WorkflowType.Freezes, {
          workflowId: FREEZES_WORKFLOW_ID,
          taskQueue: TASK_QUEUE,
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [input],
          staticSummary: 'What is frozen',
          staticDetails: 'Keeps every freeze and tells the releases under way. Lives for ever.',
        }),
      }),
    );
    // Temporal answers a click that it knows with what came of it then, whatever is asked for now.
    if (digestOf(stopOf(made)) === digestOf(stopOf({ scope, ...(until === undefined ? {} : { until }) }))) return made;
    throw new Problem(
      FailureType.ClickUsed,
      `this click has made the freeze ${made.id} of ${scopeText(made.scope)}; it counts for nothing else`,
    );
  }

  /** Lifts a freeze. `UnknownFreeze`. @returns what was lifted */
  async unfreeze(id: string, { by, clickId, reason }: Command & CommandInput): Promise<Freeze> {
    const kept = this.client.workflow.getHandle(FREEZES_WORKFLOW_ID);
    try {
      return await this.client.withDeadline(Date.now() + WORKFLOW_MS, () =>
        kept.executeUpdate(unfreezeUpdate, {
          updateId: `unfreeze:${id}:${by}:${clickId}`,
          args: [{ id, by, reason }],
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new Problem(FailureType.UnknownFreeze, `there is no freeze ${id}: nothing was ever frozen`, {
        cause: error,
      });
    }
  }

  /**
   * What people mean by `all`, an environment, a service, or `<environment>/<service>`. `UnknownEnvironment`,
   * `UnknownService`; `RequestInvalid` for a name that is both.
   */
  scopeOf(text: string): FreezeScope {
    if (text === 'all') return {};
    const { environments, services } = this.configuration;
    const [environment = '', service] = text.split('/');
    if (service !== undefined) {
      this.require({ environment, service });
      return { environment, service };
    }
    const isEnvironment = Object.hasOwn(environments, text);
    const isService = Object.hasOwn(services, text);
    if (isEnvironment && isService) {
      throw new Problem(FailureType.RequestInvalid, `${text} is an environment and a service: use the command line`);
    }
    if (!isEnvironment) requireService(this.configuration, text);
    return isEnvironment ? { environment: text } : { service: text };
  }

  private require({ environment, service }: FreezeScope): void {
    if (environment !== undefined) requireEnvironment(this.configuration, environment);
    if (service !== undefined) requireService(this.configuration, service);
  }
}

/** What a freeze stops, and until when: times may be written in several ways. */
function stopOf({ scope, until }: Pick<Freeze, 'scope' | 'until'>): object {
  return { scope, ...(until === undefined ? {} : { until: Date.parse(until) }) };
}
