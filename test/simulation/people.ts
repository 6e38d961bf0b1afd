import { type WorkflowClient, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { CommandRecord, ReleaseView } from '../../domain/release.ts';
import type { Wait } from '../../domain/wait.ts';
import {
  abortUpdate,
  approveUpdate,
  controlUpdates,
  FREEZES_WORKFLOW_ID,
  freezesChangedSignal,
  freezeUpdate,
  type ReleaseResult,
  rejectUpdate,
  rollbackUpdate,
  unfreezeUpdate,
} from '../../workflows/contract.ts';
import { until } from '../integration/mesos-until.ts';
import { type Click, isEnding } from './clicks.ts';
import type { ReleaseScript } from './scenario.ts';
import type { Tally } from './tally.ts';

const APPROVERS = ['bob', 'cat', 'dan'] as const;

const ENDING = { abort: abortUpdate, rollback: rollbackUpdate, reject: rejectUpdate } as const;

/** Words that need two people, none of whom asked for the release. */
const NEED_OTHERS: ReadonlySet<Click['say']> = new Set<Click['say']>(['skipAnalysis', 'promoteFully']);

/** So long a release may take to learn of a freeze. */
const TOLD_WITHIN_MS = 60_000;

/** Everybody who says something to a release, as its script has it. What is refused is part of life. */
export class People {
  /** Since when production is frozen, by the server's time in ms; undefined while it is not. */
  frozenSince: number | undefined;
  private readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  private readonly client: WorkflowClient;
  private readonly now: () => Promise<number>;
  private readonly script: ReleaseScript;
  private readonly met: Tally;
  private readonly said = new Set<Click>();
  private freeze: string | undefined;
  private approvedStep = '';

  /**
   * @param now the server's time, ms since 1970
   * @param met told each word that was taken, and each reason for which one was not
   */
  constructor(
    handle: WorkflowHandle<() => Promise<ReleaseResult>>,
    client: WorkflowClient,
    now: () => Promise<number>,
    script: ReleaseScript,
    met: Tally,
  ) {
    this.met = met;
    this.handle = handle;
    this.client = client;
    this.now = now;
    this.script = script;
  }

  /** What is to be said before the n-th change in production is made. */
  dueAt(nth: number): readonly Click[] {
    return this.script.clicks.filter(({ when }) => 'change' in when && when.change === nth);
  }

  /** Says what is to be said before the n-th change in production is made. */
  async atChange(nth: number): Promise<void> {
    for (const click of this.dueAt(nth)) await this.click(click);
  }

  haveToSay(view: ReleaseView): boolean {
    return this.due(view) !== undefined || this.mayApprove(view);
  }

  /** Whether somebody still has a word for such a wait. */
  willEnd({ reason }: Wait): boolean {
    return this.script.clicks.some(
      (click) => 'wait' in click.when && click.when.wait === reason && !this.said.has(click),
    );
  }

  /** When a release stands like this. */
  async say(view: ReleaseView): Promise<void> {
    const due = this.due(view);
    if (due) await this.click(due);
    else await this.approve(view);
  }

  /** A word that comes too late is refused. What was frozen is so no longer than the release runs. */
  async afterEnd(): Promise<void> {
    for (const click of this.script.clicks) if (this.said.has(click) && isEnding(click)) await this.click(click);
    await this.unfreeze();
  }

  private due(view: ReleaseView): Click | undefined {
    const kind = view.steps.find(({ outcome }) => outcome === 'running')?.kind;
    return this.script.clicks.find(
      (click) =>
        'wait' in click.when &&
        click.when.wait === view.wait?.reason &&
        (click.when.in ?? kind) === kind &&
        !this.said.has(click),
    );
  }

  private mayApprove(view: ReleaseView): boolean {
    const asked = view.wait?.reason === 'approval' && this.approvedStep !== stepOf(view);
    return asked && this.script.approval !== 'never';
  }

  private async click(click: Click): Promise<void> {
    this.said.add(click);
    const id = `click-${this.script.clicks.indexOf(click)}`;
    for (let time = 1; time <= click.times; time += 1) {
      switch (click.say) {
        case 'abort':
        case 'rollback':
        case 'reject':
          await this.refusedOrDone(
            click.say,
            this.handle.executeUpdate(ENDING[click.say], {
              args: [{ by: 'bob', reason: 'because' }],
              updateId: id,
            }),
          );
          break;
        case 'freeze':
          await this.freezeProduction();
          break;
        case 'unfreeze':
          await this.unfreeze();
          break;
        default:
          await this.control(click.say, id);
      }
    }
  }

  private async control(name: CommandRecord['name'], id: string): Promise<void> {
    const people = NEED_OTHERS.has(name) ? [this.script.requestedBy, ...APPROVERS] : ['bob'];
    for (const by of people) {
      await this.refusedOrDone(
        name,
        this.handle.executeUpdate(controlUpdates[name], { args: [{ by, reason: 'because' }], updateId: `${id} ${by}` }),
      );
    }
  }

  /** Production is frozen once the release has heard of it. */
  private async freezeProduction(): Promise<void> {
    if (this.freeze !== undefined) return;
    const freezes = this.client.getHandle(FREEZES_WORKFLOW_ID);
    const { id } = await freezes.executeUpdate(freezeUpdate, {
      args: [{ scope: { environment: 'prod' }, by: 'bob', reason: 'stop the line' }],
    });
    this.freeze = id;
    this.met.count('word', 'freeze');
    await until(`${this.handle.workflowId} hears of the freeze`, TOLD_WITHIN_MS, () => this.heardOf(id));
    this.frozenSince = await this.now();
  }

  private async heardOf(freeze: string): Promise<boolean> {
    const { events } = await this.handle.fetchHistory();
    return (events ?? []).some(({ workflowExecutionSignaledEventAttributes: signal }) => {
      const told = signal?.signalName === freezesChangedSignal.name ? signal.input?.payloads?.[0]?.data : undefined;
      return told ? Buffer.from(told).toString('utf8').includes(`"${freeze}"`) : false;
    });
  }

  private async unfreeze(): Promise<void> {
    const { freeze: id } = this;
    if (id === undefined) return;
    this.freeze = undefined;
    this.frozenSince = undefined;
    this.met.count('word', 'unfreeze');
    await this.client
      .getHandle(FREEZES_WORKFLOW_ID)
      .executeUpdate(unfreezeUpdate, { args: [{ id, by: 'bob', reason: 'it is over' }] });
  }

  private async approve(view: ReleaseView): Promise<void> {
    const step = stepOf(view);
    const { approval } = this.script;
    this.approvedStep = step;
    if (approval === 'rejected') {
      await this.refusedOrDone(
        'reject',
        this.handle.executeUpdate(rejectUpdate, { args: [{ by: 'bob', reason: 'no' }] }),
      );
      return;
    }
    const planDigest = view.plan?.digest ?? '';
    const click = (by: string, digest: string, updateId: string) =>
      this.refusedOrDone(
        'approve',
        this.handle.executeUpdate(approveUpdate, { args: [{ by, planDigest: digest }], updateId }),
      );
    await click(view.requestedBy, planDigest, `self ${step}`);
    await click('bob', `sha256:${'0'.repeat(64)}`, `other plan ${step}`);
    for (const by of APPROVERS) {
      await click(by, planDigest, `${by} ${step}`);
      await click(by, planDigest, `${by} ${step}`);
    }
  }

  private async refusedOrDone(word: string, update: Promise<unknown>): Promise<void> {
    try {
      await update;
      this.met.count('word', word);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) this.met.count('refusal', typeOf(error.cause));
      else if (!(error instanceof Error && error.name === 'WorkflowNotFoundError')) throw error;
    }
  }
}

const stepOf = (view: ReleaseView): string => view.steps.find(({ outcome }) => outcome === 'running')?.id ?? '';

const typeOf = (cause: unknown): string => (cause instanceof ApplicationFailure && cause.type) || 'unknown';
