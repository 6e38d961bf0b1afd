import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';
import { adoptUpdate, type CommandInput, laneQuery, laneWorkflowId, revertUpdate } from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { WORKFLOW_MS } from './deadlines.ts';
import { Problem } from './problem.ts';
import type { Command } from './releases.ts';

/** One service in one environment. */
export interface LaneName {
  readonly environment: string;
  readonly service: string;
}

/** What to do about a hand-made change. */
export type DriftVerb = 'adopt' | 'revert';

/** Hand-made changes, as people resolve them. Failures are `Problem`s. */
export class Drifts {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;

  constructor(client: Client, configuration: ConfiguredNames) {
    this.client = client;
    this.configuration = configuration;
  }

  /**
   * Has what was changed by hand taken over or put back: by the release that holds the lane, else by the lane. `NoDrift`
   * where nothing was changed.
   *
   * @returns id of the workflow that carries it out
   */
  async resolve(verb: DriftVerb, name: LaneName, command: Command & CommandInput): Promise<string> {
    const { environment, service } = name;
    const { by, clickId, reason } = command;
    requireService(this.configuration, service);
    requireEnvironment(this.configuration, environment);
    const lane = laneWorkflowId(environment, service);
    try {
      const asked = this.client.workflow.getHandle(lane);
      const { holder = lane } = await this.client.withDeadline(Date.now() + WORKFLOW_MS, () => asked.query(laneQuery));
      await this.client.withDeadline(Date.now() + WORKFLOW_MS, () =>
        this.client.workflow.getHandle(holder).executeUpdate(verb === 'adopt' ? adoptUpdate : revertUpdate, {
          updateId: `${verb}:${by}:${clickId}`,
          args: [{ by, reason }],
        }),
      );
      return holder;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new Problem(FailureType.NoDrift, `nothing of ${service} in ${environment} waits to be resolved`, {
        cause: error,
      });
    }
  }
}
