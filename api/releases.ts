import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { bundleOf } from '../domain/bundle.ts';
import type { CommandName } from '../domain/controls.ts';
import { digestOf } from '../domain/digest.ts';
import { FailureType } from '../domain/failures.ts';
import type { Plan } from '../domain/plan.ts';
import type { ApprovalRecord, ReleaseRequest, ReleaseView } from '../domain/release.ts';
import { HttpFailure, type Order, parseReleaseName } from '../domain/schemas/api.ts';
import {
  abortUpdate,
  approveUpdate,
  type CommandInput,
  type ControlAnswer,
  type ControlInput,
  type ReleaseInput,
  type ReleaseResult,
  type RollbackInput,
  rejectUpdate,
  releaseQuery,
  releaseWorkflowId,
  rollbackUpdate,
  SearchAttribute,
  TASK_QUEUE,
  WorkflowType,
} from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { asProblem, Problem } from './problem.ts';

/** Longest time for a question to Temporal, and to the worker behind it. */
const QUESTION_MS = 10_000;
/** Longest time for a command: a worker that was just restarted first replays the release. */
const COMMAND_MS = 20_000;
/** Longest time for a plan: the repository may have to be cloned. */
const PLAN_MS = 60_000;
/** How long a release that takes no more commands is looked at, and how often. */
const OVER_WITHIN_MS = 3_000;
const OVER_LOOK_MS = 100;

export interface ReleaseName {
  readonly service: string;
  readonly key: string;
}

/** A command of a person on a release. */
export interface Command {
  /** Who gives it. */
  readonly by: string;
  /** Names this very click or message: given twice it counts once. */
  readonly clickId: string;
}

export interface Started {
  readonly id: string;
  /** The release itself when it had ended before it was asked for again. */
  readonly ended?: ReleaseView;
}

/** Releases as the API's routes, GitLab and chat see them: by contract, over Temporal. Failures are `Problem`s. */
export class Releases {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;

  constructor(client: Client, configuration: ConfiguredNames) {
    this.client = client;
    this.configuration = configuration;
  }

  /**
   * Starts a release, or finds the one that the same key has started before. `IdempotencyKeyReused` when that one
   * was asked for something else; `UnknownService`, `UnknownEnvironment`.
   */
  async start(order: Order, key: string, requestedBy: string): Promise<Started> {
    const request = this.requestOf(order, requestedBy);
    const what = request.source.kind === 'git' ? request.source.ref : request.source.bundle.version;
    const input: ReleaseInput = { key, request };
    return this.startOnce(WorkflowType.Release, releaseWorkflowId(order.service, key), input, {
      digest: digestOf(order),
      service: order.service,
      summary: `${order.service} ${what}${order.until === undefined ? '' : ` until ${order.until}`}`,
      requestedBy,
    });
  }

  /** Computes the plan that the order would get, and runs nothing. */
  async plan(order: Order, requestedBy: string): Promise<Plan> {
    const request = this.requestOf(order, requestedBy);
    const key = randomUUID();
    return this.client.withDeadline(Date.now() + PLAN_MS, () =>
      this.client.workflow.execute<(input: ReleaseInput) => Promise<Plan>>(WorkflowType.PlanRelease, {
        workflowId: `plan/${order.service}/${key}`,
        taskQueue: TASK_QUEUE,
        args: [{ key, request }],
        workflowExecutionTimeout: PLAN_MS,
        staticSummary: `plan of ${order.service}, asked for by ${requestedBy}`,
      }),
    );
  }

  /** The whole state of a release. `UnknownRelease`. */
  async view(name: ReleaseName): Promise<ReleaseView> {
    const handle = this.handle(name);
    const described = await this.describe(handle, name);
    return this.viewOf(handle, described);
  }

  /** Approves the plan with exactly this digest. */
  async approve(
    name: ReleaseName,
    command: Command & { readonly planDigest: string; readonly step?: string },
  ): Promise<ApprovalRecord> {
    const { by, planDigest, step } = command;
    const approval = await this.command(name, (handle) =>
      handle.executeUpdate(approveUpdate, {
        updateId: updateId('approve', command),
        args: [{ by, planDigest, ...(step === undefined ? {} : { step }) }],
      }),
    );
    // Temporal answers a click that it knows with what came of it then, whatever it is about now.
    if (approval.planDigest === planDigest && (step === undefined || approval.step === step)) return approval;
    throw new Problem(
      FailureType.ClickUsed,
      `this click has approved ${approval.step} of the plan ${approval.planDigest}; it counts for nothing else`,
    );
  }

  /** A person's word to a release that runs, besides what ends it. */
  async control(
    name: ReleaseName,
    control: CommandName,
    { by, clickId, reason, step, planDigest }: Command & ControlInput,
  ): Promise<ControlAnswer> {
    const input: ControlInput = {
      ...{ by, reason },
      ...(step === undefined ? {} : { step }),
      ...(planDigest === undefined ? {} : { planDigest }),
    };
    return this.command(name, (handle) =>
      handle.executeUpdate<ControlAnswer, [ControlInput]>(control, {
        updateId: updateId(control, { by, clickId }),
        args: [input],
      }),
    );
  }

  /** Refuses the plan that waits. */
  async reject(name: ReleaseName, command: Command & CommandInput): Promise<void> {
    const { by, reason } = command;
    await this.command(name, (handle) =>
      handle.executeUpdate(rejectUpdate, { updateId: updateId('reject', command), args: [{ by, reason }] }),
    );
  }

  /** Stops the release and undoes what it changed. */
  async abort(name: ReleaseName, command: Command & CommandInput): Promise<void> {
    const { by, reason } = command;
    await this.command(name, (handle) =>
      handle.executeUpdate(abortUpdate, { updateId: updateId('abort', command), args: [{ by, reason }] }),
    );
  }

  /**
   * Goes back to the revision before. A release that runs does it itself; for one that has ended a `rollback`
   * workflow is started, under a key of its own; it ends as failed where something newer serves by now.
   *
   * @returns the release that carries it out
   */
  async rollback(
    name: ReleaseName,
    command: Command & CommandInput & { readonly environment?: string; readonly to?: string; readonly key?: string },
  ): Promise<ReleaseName> {
    const { by, reason, to } = command;
    if (to !== undefined) await this.requireEnd(name, to);
    let refusal: Problem;
    try {
      await this.command(name, (handle) =>
        handle.executeUpdate(rollbackUpdate, { updateId: updateId('rollback', command), args: [{ by, reason }] }),
      );
      return name;
    } catch (error) {
      refusal = asProblem(error);
      if (refusal.code !== FailureType.ReleaseOver) throw refusal;
    }
    const view = await this.viewOnceOver(name);
    if (view.outcome === undefined) throw refusal;
    if (view.outcome === 'rolled-back' || view.outcome === 'aborted') {
      throw new Problem(FailureType.NothingToRollBackTo, `${name.service}/${name.key} was undone already`);
    }
    const environment = command.environment ?? lastEnvironment(view);
    requireEnvironment(this.configuration, environment);
    const key = command.key ?? `${name.key}.rollback${to === undefined ? '' : `.${to}`}`;
    const input: RollbackInput = {
      key,
      service: name.service,
      environment,
      requestedBy: by,
      reason,
      ...(view.bundle === undefined ? {} : { bundle: view.bundle.id }),
      ...(to === undefined ? {} : { to }),
    };
    await this.startOnce(WorkflowType.Rollback, releaseWorkflowId(name.service, key), input, {
      digest: digestOf({ rollback: name.key, environment, ...(to === undefined ? {} : { to }) }),
      service: name.service,
      environment,
      summary: `${name.service} back in ${environment}: ${reason}`.slice(0, 200),
      requestedBy: by,
    });
    return { service: name.service, key };
  }

  /**
   * A release that takes no more commands: one that gives its last lane back, or writes its books, is over in a moment,
   * and must not refuse a way back meanwhile. One that is being undone is told as it is.
   */
  private async viewOnceOver(name: ReleaseName): Promise<ReleaseView> {
    const deadline = performance.now() + OVER_WITHIN_MS;
    for (;;) {
      const view = await this.view(name);
      if (view.outcome !== undefined || performance.now() > deadline) return view;
      await sleep(OVER_LOOK_MS);
    }
  }

  /** A release that runs goes back to what served before it, and to nothing else. */
  private async requireEnd(name: ReleaseName, to: string): Promise<void> {
    if ((await this.view(name)).outcome !== undefined) return;
    throw new Problem(
      FailureType.RequestInvalid,
      `to: ${name.service}/${name.key} still runs and goes back to what served before it; roll it back first, then ask for ${to}`,
    );
  }

  private requestOf(order: Order, requestedBy: string): ReleaseRequest {
    const { service, ref, bundle, until, configVersion, whenBusy } = order;
    requireService(this.configuration, service);
    if (until !== undefined) requireEnvironment(this.configuration, until);
    if (bundle !== undefined && (bundle.service !== service || bundleOf(bundle).id !== bundle.id)) {
      throw new Problem(
        FailureType.RequestInvalid,
        `bundle: it is not a bundle of ${service}, or its id is not that of its content`,
      );
    }
    const source: ReleaseRequest['source'] | undefined =
      bundle !== undefined ? { kind: 'bundle', bundle } : ref !== undefined ? { kind: 'git', ref } : undefined;
    if (source === undefined) throw new Problem(FailureType.RequestInvalid, 'ref: write either ref or bundle');
    return {
      service,
      source,
      requestedBy,
      whenBusy,
      ...(until === undefined ? {} : { until }),
      ...(configVersion === undefined ? {} : { configVersion }),
    };
  }

  /** The workflow id is the lock: whoever starts second gets the run that is there, running or ended. */
  private async startOnce(
    workflowType: string,
    workflowId: string,
    input: ReleaseInput | RollbackInput,
    about: {
      readonly digest: string;
      readonly service: string;
      readonly environment?: string;
      readonly summary: string;
      readonly requestedBy: string;
    },
  ): Promise<Started> {
    const { workflow } = this.client;
    const described = await this.client.withDeadline(Date.now() + QUESTION_MS, async () => {
      try {
        await workflow.start(workflowType, {
          workflowId,
          taskQueue: TASK_QUEUE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          args: [input],
          memo: { requestDigest: about.digest, requestedBy: about.requestedBy },
          staticSummary: about.summary,
          staticDetails: `Asked for by ${about.requestedBy}.`,
          typedSearchAttributes: [
            { key: SearchAttribute.Service, value: about.service },
            ...(about.environment === undefined
              ? []
              : [{ key: SearchAttribute.Environment, value: about.environment }]),
          ],
          // A way back must not stand behind forward moves in a busy queue.
          ...(workflowType === WorkflowType.Rollback ? { priority: { priorityKey: 1 } } : {}),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
      return workflow.getHandle(workflowId).describe();
    });
    if (described.memo?.['requestDigest'] !== about.digest) {
      throw new Problem(
        HttpFailure.IdempotencyKeyReused,
        `${workflowId} was asked for something else; use another key, or look at that release`,
      );
    }
    if (described.status.name === 'RUNNING') return { id: workflowId };
    return { id: workflowId, ended: await this.viewOf(workflow.getHandle(workflowId), described) };
  }

  private handle({ service, key }: ReleaseName): WorkflowHandle {
    return this.client.workflow.getHandle(releaseWorkflowId(service, key));
  }

  private async describe(handle: WorkflowHandle, name: ReleaseName): Promise<WorkflowExecutionDescription> {
    try {
      return await this.client.withDeadline(Date.now() + QUESTION_MS, () => handle.describe());
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
      const result: ReleaseResult = await this.client.withDeadline(Date.now() + QUESTION_MS, () => handle.result());
      return result.view;
    }
    const running = described.status.name === 'RUNNING';
    const view = await this.client
      .withDeadline(Date.now() + QUESTION_MS, () => handle.query(releaseQuery))
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

  private async command<Result>(name: ReleaseName, run: (handle: WorkflowHandle) => Promise<Result>): Promise<Result> {
    const handle = this.handle(name);
    try {
      return await this.client.withDeadline(Date.now() + COMMAND_MS, () => run(handle));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // Temporal says the same of a run that has ended and of one that never was.
      await this.describe(handle, name);
      throw new Problem(FailureType.ReleaseOver, `${name.service}/${name.key} has ended`, { cause: error });
    }
  }
}

/** Ids are scoped to who commands what, so that nobody gets the answer that somebody else's click had. */
function updateId(kind: string, command: Command): string {
  return `${kind}:${command.by}:${command.clickId}`;
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

/** Where a release had got to; that is where a rollback of it takes place. */
function lastEnvironment(view: ReleaseView): string {
  const reached = view.steps.filter(({ outcome }) => outcome === 'done').map(({ environment }) => environment);
  const last = reached.filter((environment) => environment !== undefined).at(-1);
  if (last !== undefined) return last;
  throw new Problem(FailureType.NothingToRollBackTo, `${view.id} changed no environment`);
}
