import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';
import type { ReleaseView } from '../domain/release.ts';
import { HttpFailure, parseReleaseName } from '../domain/schemas/api.ts';
import {
  type ReleaseInput,
  type ReleaseResult,
  type RollbackInput,
  releaseQuery,
  releaseWorkflowId,
  SearchAttribute,
  TASK_QUEUE,
  WorkflowType,
} from '../workflows/contract.ts';
import { SERVER_MS, WORKFLOW_MS } from './deadlines.ts';
import { Problem } from './problem.ts';

export interface ReleaseName {
  readonly service: string;
  readonly key: string;
}

export interface Started {
  readonly id: string;
  /** The release itself when it has ended by now. */
  readonly ended?: ReleaseView;
  /** True when it had ended before it was asked for now. */
  readonly wasOver: boolean;
}

/** What the run of a release, or of a way back, is started with. */
export interface RunOrder {
  readonly workflowType: typeof WorkflowType.Release | typeof WorkflowType.Rollback;
  readonly name: ReleaseName;
  readonly input: ReleaseInput | RollbackInput;
  /** Of what was asked for: the same key with another one is refused. */
  readonly digest: string;
  readonly environment?: string;
  /** What the Temporal UI calls it. */
  readonly summary: string;
  readonly requestedBy: string;
}

/** The runs behind releases, as Temporal keeps them. Failures are `Problem`s. */
export class ReleaseRuns {
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /**
   * Starts a run, or finds the one that the same key has started before. The workflow id is the lock: whoever starts
   * second gets the run that is there, running or ended. `IdempotencyKeyReused` when that was asked for something else.
   */
  async start({ digest, environment, input, name, requestedBy, summary, workflowType }: RunOrder): Promise<Started> {
    const { workflow } = this.client;
    const workflowId = releaseWorkflowId(name.service, name.key);
    let wasOver = false;
    const described = await this.client.withDeadline(Date.now() + SERVER_MS, async () => {
      try {
        await workflow.start(workflowType, {
          workflowId,
          taskQueue: TASK_QUEUE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          args: [input],
          memo: { requestDigest: digest, requestedBy },
          staticSummary: summary,
          staticDetails: `Asked for by ${requestedBy}.`,
          typedSearchAttributes: [
            { key: SearchAttribute.Service, value: name.service },
            ...(environment === undefined ? [] : [{ key: SearchAttribute.Environment, value: environment }]),
          ],
          // A way back must not stand behind forward moves in a busy queue.
          ...(workflowType === WorkflowType.Rollback ? { priority: { priorityKey: 1 } } : {}),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        wasOver = true;
      }
      return workflow.getHandle(workflowId).describe();
    });
    if (described.memo?.['requestDigest'] !== digest) {
      throw new Problem(
        HttpFailure.IdempotencyKeyReused,
        `${workflowId} was asked for something else; use another key, or look at that release`,
      );
    }
    if (described.status.name === 'RUNNING') return { id: workflowId, wasOver };
    return { id: workflowId, wasOver, ended: await this.viewOf(workflow.getHandle(workflowId), described) };
  }

  /** The whole state of a release. `UnknownRelease`. */
  async view(name: ReleaseName): Promise<ReleaseView> {
    const handle = this.handle(name);
    const described = await this.describe(handle, name);
    return this.viewOf(handle, described);
  }

  /** Sends an Update. `UnknownRelease`, `ReleaseOver`. */
  async command<Result>(name: ReleaseName, run: (handle: WorkflowHandle) => Promise<Result>): Promise<Result> {
    const handle = this.handle(name);
    try {
      return await this.client.withDeadline(Date.now() + WORKFLOW_MS, () => run(handle));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // Temporal says the same of a run that has ended and of one that never was.
      await this.describe(handle, name);
      throw new Problem(FailureType.ReleaseOver, `${name.service}/${name.key} has ended`, { cause: error });
    }
  }

  private handle({ service, key }: ReleaseName): WorkflowHandle {
    return this.client.workflow.getHandle(releaseWorkflowId(service, key));
  }

  private async describe(handle: WorkflowHandle, name: ReleaseName): Promise<WorkflowExecutionDescription> {
    try {
      return await this.client.withDeadline(Date.now() + SERVER_MS, () => handle.describe());
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new Problem(FailureType.UnknownRelease, `there is no release ${name.service}/${name.key}`, {
        cause: error,
      });
    }
  }

  private async viewOf(handle: WorkflowHandle, described: WorkflowExecutionDescription): Promise<ReleaseView> {
    if (described.status.name === 'COMPLETED') {
      // The contract's border: both workflow types behind a release id return a ReleaseResult.
      const result: ReleaseResult = await this.client.withDeadline(Date.now() + SERVER_MS, () => handle.result());
      return result.view;
    }
    const running = described.status.name === 'RUNNING';
    const view = await this.client
      .withDeadline(Date.now() + WORKFLOW_MS, () => handle.query(releaseQuery))
      .catch((error: unknown) => {
        // One that was ended before its first step, or whose code is gone, can't be asked any more.
        if (running) throw error;
        return unseenView(described);
      });
    if (running || view.outcome !== undefined) return view;
    const { wait: _, ...rest } = view;
    return {
      ...rest,
      outcome: 'failed',
      endedAt: (described.closeTime ?? new Date()).toISOString(),
      failure: {
        type: FailureType.Internal,
        message: `the workflow was ended from outside (${described.status.name.toLowerCase()}); what it changed was not undone`,
      },
    };
  }
}

/** What is known of a release that tells nothing itself. */
function unseenView(described: WorkflowExecutionDescription): ReleaseView {
  const requestedBy = described.memo?.['requestedBy'];
  return {
    id: described.workflowId,
    service: parseReleaseName(described.workflowId)?.service ?? '',
    requestedBy: typeof requestedBy === 'string' ? requestedBy : '',
    startedAt: described.startTime.toISOString(),
    steps: [],
    approvals: [],
    verdicts: [],
    rollbacks: [],
  };
}
