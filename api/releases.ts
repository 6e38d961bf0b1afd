import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { bundleOf } from '../domain/bundle.ts';
import type { CommandName } from '../domain/controls.ts';
import { digestOf } from '../domain/digest.ts';
import { FailureType } from '../domain/failures.ts';
import type { Plan } from '../domain/plan.ts';
import type { ApprovalRecord, ReleaseRequest, ReleaseView } from '../domain/release.ts';
import type { Order } from '../domain/schemas/api.ts';
import {
  abortUpdate,
  approveUpdate,
  type CommandInput,
  type ControlAnswer,
  type ControlInput,
  controlUpdates,
  type ReleaseInput,
  type RollbackInput,
  rejectUpdate,
  rollbackUpdate,
  TASK_QUEUE,
  WorkflowType,
} from '../workflows/contract.ts';
import { type ConfiguredNames, requireEnvironment, requireService } from './configured.ts';
import { WORKFLOW_MS } from './deadlines.ts';
import { asProblem, Problem } from './problem.ts';
import { type ReleaseName, ReleaseRuns, type Started } from './release-runs.ts';

/** Longest time for a plan: the repository may have to be cloned. */
const PLAN_MS = 60_000;
/** How often a release is looked at that is about to end. */
const OVER_LOOK_MS = 100;

/** A command of a person on a release. */
export interface Command {
  /** Who gives it. */
  readonly by: string;
  /** Names this very click or message: given twice it counts once. */
  readonly clickId: string;
}

/** Releases as the API's routes, GitLab and chat see them: by contract, over Temporal. Failures are `Problem`s. */
export class Releases {
  private readonly client: Client;
  private readonly configuration: ConfiguredNames;
  private readonly runs: ReleaseRuns;

  constructor(client: Client, configuration: ConfiguredNames) {
    this.client = client;
    this.runs = new ReleaseRuns(client);
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
    return this.runs.start({
      workflowType: WorkflowType.Release,
      name: { service: order.service, key },
      input,
      digest: digestOf(order),
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
  view(name: ReleaseName): Promise<ReleaseView> {
    return this.runs.view(name);
  }

  /** Approves the plan with exactly this digest. */
  async approve(
    name: ReleaseName,
    command: Command & { readonly planDigest: string; readonly step?: string },
  ): Promise<ApprovalRecord> {
    const { by, planDigest, step } = command;
    const approval = await this.runs.command(name, (handle) =>
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
    return this.runs.command(name, (handle) =>
      handle.executeUpdate(controlUpdates[control], {
        updateId: updateId(control, { by, clickId }),
        args: [input],
      }),
    );
  }

  /** Refuses the plan that waits. */
  async reject(name: ReleaseName, command: Command & CommandInput): Promise<void> {
    const { by, reason } = command;
    await this.runs.command(name, (handle) =>
      handle.executeUpdate(rejectUpdate, { updateId: updateId('reject', command), args: [{ by, reason }] }),
    );
  }

  /** Stops the release and undoes what it changed. */
  async abort(name: ReleaseName, command: Command & CommandInput): Promise<void> {
    const { by, reason } = command;
    await this.runs.command(name, (handle) =>
      handle.executeUpdate(abortUpdate, { updateId: updateId('abort', command), args: [{ by, reason }] }),
    );
  }

  /**
   * Goes back to the revision before. A release that runs does it itself; for one that has ended a `rollback`
   * workflow is started, under a key of its own; it ends as failed where something newer serves by now. Asked for without
   * a key it is once however often that is said, until it has failed: then the next word starts another one.
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
      await this.runs.command(name, (handle) =>
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
    const first = command.key ?? `${name.key}.rollback${to === undefined ? '' : `.${to}`}`;
    for (let number = 1; ; number++) {
      const back: ReleaseName = { service: name.service, key: number === 1 ? first : `${first}.${number}` };
      const input: RollbackInput = {
        key: back.key,
        service: name.service,
        environment,
        requestedBy: by,
        reason,
        ...(view.bundle === undefined ? {} : { bundle: view.bundle.id }),
        ...(to === undefined ? {} : { to }),
      };
      const { ended, wasOver } = await this.runs.start({
        workflowType: WorkflowType.Rollback,
        name: back,
        input,
        digest: digestOf({ rollback: name.key, environment, ...(to === undefined ? {} : { to }) }),
        environment,
        summary: `${name.service} back in ${environment}: ${reason}`.slice(0, 200),
        requestedBy: by,
      });
      if (!wasOver || ended?.outcome !== 'failed' || command.key !== undefined) return back;
    }
  }

  /**
   * A release that takes no more commands: one that gives its last lane back is over in a moment, or once another worker
   * has its next task, and must not refuse a way back meanwhile. One that is being undone is told as it is.
   */
  private async viewOnceOver(name: ReleaseName): Promise<ReleaseView> {
    const deadline = performance.now() + WORKFLOW_MS;
    for (;;) {
      const view = await this.view(name);
      if (view.outcome !== undefined || !isThrough(view) || performance.now() > deadline) return view;
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
}

/** Ids are scoped to who commands what, so that nobody gets the answer that somebody else's click had. */
function updateId(kind: string, command: Command): string {
  return `${kind}:${command.by}:${command.clickId}`;
}

/** True when every step has come to a good end. */
function isThrough({ steps }: ReleaseView): boolean {
  return steps.length > 0 && steps.every(({ outcome }) => outcome === 'done' || outcome === 'skipped');
}

/** Where a release had got to; that is where a rollback of it takes place. */
function lastEnvironment(view: ReleaseView): string {
  const reached = view.steps.filter(({ outcome }) => outcome === 'done').map(({ environment }) => environment);
  const last = reached.filter((environment) => environment !== undefined).at(-1);
  if (last !== undefined) return last;
  throw new Problem(FailureType.NothingToRollBackTo, `${view.id} changed no environment`);
}
