import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';
import type { VetoList } from '../domain/schemas/veto.ts';
import type { Veto } from '../domain/veto.ts';
import { type CommandInput, laneWorkflowId, liftVetoUpdate } from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { WORKFLOW_MS } from './deadlines.ts';
import type { Lanes } from './lanes.ts';
import { Problem } from './problem.ts';
import type { Command } from './releases.ts';

/** Which bundle may not go where. */
export interface VetoName {
  readonly environment: string;
  readonly service: string;
  /** Id of the bundle. */
  readonly bundle: string;
}

/** Bundles that were rolled back and may not come again, as the lanes know them. Failures are `Problem`s. */
export class Vetoes {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;
  private readonly lanes: Lanes;

  constructor(client: Client, configuration: ConfiguredNames, lanes: Lanes) {
    this.client = client;
    this.configuration = configuration;
    this.lanes = lanes;
  }

  /** Every veto that holds, of one service or one environment if asked so. `UnknownService`, `UnknownEnvironment`. */
  async list(filter: { readonly environment?: string; readonly service?: string }): Promise<VetoList> {
    const lanes = await this.lanes.list(filter);
    const vetoes = lanes.flatMap(({ state: { environment, service, vetoes = [] } }) =>
      vetoes.map((veto) => ({ environment, service, veto })),
    );
    return { vetoes };
  }

  /** Lets a bundle come again. `UnknownVeto` where nothing holds it. @returns what was lifted */
  async lift(name: VetoName, command: Command & CommandInput): Promise<Veto> {
    const { bundle, environment, service } = name;
    const { by, clickId, reason } = command;
    requireService(this.configuration, service);
    requireEnvironment(this.configuration, environment);
    const lane = this.client.workflow.getHandle(laneWorkflowId(environment, service));
    try {
      return await this.client.withDeadline(Date.now() + WORKFLOW_MS, () =>
        lane.executeUpdate(liftVetoUpdate, {
          updateId: `lift-veto:${bundle}:${by}:${clickId}`,
          args: [{ bundle, by, reason }],
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new Problem(FailureType.UnknownVeto, `nothing of ${service} was released to ${environment} yet`, {
        cause: error,
      });
    }
  }
}
