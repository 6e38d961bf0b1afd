import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import type { ReleaseView } from '../../domain/release.ts';
import {
  abortUpdate,
  approveUpdate,
  type ReleaseResult,
  rejectUpdate,
  rollbackUpdate,
} from '../../workflows/contract.ts';
import type { Click, ReleaseScript } from './scenario.ts';

const REQUESTER = 'ann';
const APPROVERS = ['bob', 'cat', 'dan'] as const;

/** Everybody who says something to a release, as its script has it. What is refused is part of life. */
export class People {
  private readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  private readonly script: ReleaseScript;
  private readonly said = new Set<Click>();
  private approvedStep = '';

  constructor(handle: WorkflowHandle<() => Promise<ReleaseResult>>, script: ReleaseScript) {
    this.handle = handle;
    this.script = script;
  }

  haveToSayAt(nth: number): boolean {
    return this.script.clicks.some((click) => 'change' in click.when && click.when.change === nth);
  }

  /** Before the n-th change in production is made. */
  async atChange(nth: number): Promise<void> {
    for (const click of this.script.clicks) {
      if ('change' in click.when && click.when.change === nth) await this.click(click);
    }
  }

  haveToSay(view: ReleaseView): boolean {
    return this.due(view) !== undefined || this.mayApprove(view);
  }

  /** When a release stands like this. */
  async say(view: ReleaseView): Promise<void> {
    const due = this.due(view);
    if (due) await this.click(due);
    else await this.approve(view);
  }

  /** A word that comes too late is refused. */
  async afterEnd(): Promise<void> {
    for (const click of this.script.clicks) if (this.said.has(click)) await this.click(click);
  }

  private due({ wait }: ReleaseView): Click | undefined {
    return this.script.clicks.find(
      (click) => 'wait' in click.when && click.when.wait === wait?.reason && !this.said.has(click),
    );
  }

  private mayApprove(view: ReleaseView): boolean {
    const asked = view.wait?.reason === 'approval' && this.approvedStep !== stepOf(view);
    return asked && this.script.approval !== 'never';
  }

  private async click(click: Click): Promise<void> {
    this.said.add(click);
    const update = { abort: abortUpdate, rollback: rollbackUpdate, reject: rejectUpdate }[click.say];
    for (let time = 1; time <= click.times; time += 1) {
      await refusedOrDone(
        this.handle.executeUpdate(update, {
          args: [{ by: 'bob', reason: 'because' }],
          updateId: `click-${this.script.clicks.indexOf(click)}`,
        }),
      );
    }
  }

  private async approve(view: ReleaseView): Promise<void> {
    const step = stepOf(view);
    const { approval } = this.script;
    this.approvedStep = step;
    if (approval === 'rejected') {
      await refusedOrDone(this.handle.executeUpdate(rejectUpdate, { args: [{ by: 'bob', reason: 'no' }] }));
      return;
    }
    const planDigest = view.plan?.digest ?? '';
    const click = (by: string, digest: string, updateId: string) =>
      refusedOrDone(this.handle.executeUpdate(approveUpdate, { args: [{ by, planDigest: digest }], updateId }));
    await click(REQUESTER, planDigest, `self ${step}`);
    await click('bob', `sha256:${'0'.repeat(64)}`, `other plan ${step}`);
    for (const by of APPROVERS) {
      await click(by, planDigest, `${by} ${step}`);
      await click(by, planDigest, `${by} ${step}`);
    }
  }
}

const stepOf = (view: ReleaseView): string => view.steps.find(({ outcome }) => outcome === 'running')?.id ?? '';

async function refusedOrDone(update: Promise<unknown>): Promise<void> {
  try {
    await update;
  } catch (error) {
    const over = error instanceof Error && error.name === 'WorkflowNotFoundError';
    if (!(error instanceof WorkflowUpdateFailedError) && !over) throw error;
  }
}
