import { CancellationScope, isCancellation, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { LedgerActivities } from '../activities/ledger/activities.ts';
import type { RejudgeOrder } from '../activities/ledger/verdicts.ts';
import type { AuditReport } from '../domain/audit.ts';
import type { Rejudgement } from '../domain/judge/rejudge.ts';
import type { LedgerEntries, LedgerEntry } from '../domain/ledger.ts';
import { WaitReason } from '../domain/wait.ts';
import { failureFrom } from './failure.ts';
import { activities, LEDGER_AWAY, LEDGER_READ, NEAR } from './options.ts';
import { idleUntil, type WaitBoard, waitFor } from './wait.ts';

/**
 * One event of the history where an activity costs six and its whole input: a release tells the ledger at each step, and
 * a write takes milliseconds.
 */
const near = proxyLocalActivities<LedgerActivities>({ ...NEAR, summary: 'Tell the ledger what has come about' });

/** So long a wait for the ledger is said to last; then it is asked again, and the wait begins anew. */
const AWAY_SECONDS = 24 * 3600;

/** What a workflow tells the ledger: facts are noted as they come about, and written when they must be there. */
export class LedgerBook {
  private readonly teller: string;
  private readonly service: string;
  private readonly noted: LedgerEntry[] = [];
  private written = 0;

  /** @param teller id of the workflow */
  constructor(teller: string, service: string) {
    this.teller = teller;
    this.service = service;
  }

  note(entry: LedgerEntry): void {
    this.noted.push(entry);
  }

  /**
   * Returns once the ledger has all that was noted. While it is away this waits, and the board shows it: so to be
   * called before an effect, or when everything is done, and never on a way back.
   *
   * @throws CancelledFailure when the surrounding scope is cancelled; what was noted stays noted
   */
  async write(board: WaitBoard): Promise<void> {
    const entries = [...this.noted];
    if (entries.length === 0) return;
    const told: LedgerEntries = {
      teller: this.teller,
      service: this.service,
      run: workflowInfo().runId,
      first: this.written + 1,
      entries,
    };
    let failure = await this.failureOf(near.writeLedger(told));
    while (failure !== undefined) failure = await this.untilBack(board, failure, told);
    this.noted.splice(0, entries.length);
    this.written += entries.length;
  }

  /** True when the ledger has all that was noted. */
  get isWritten(): boolean {
    return this.noted.length === 0;
  }

  /**
   * Writes whatever is noted, for as long as the workflow lives. Nobody waits for it, so nothing shows it. Not to be
   * cancelled with the workflow: nobody would catch that, and the workflow could not end.
   */
  keepWriting(): Promise<never> {
    return CancellationScope.nonCancellable(async () => {
      for (;;) {
        await idleUntil(() => !this.isWritten);
        await this.write({ show: () => undefined });
      }
    });
  }

  /** Asks on behind a wait that shows. @returns why it is still away when the wait is over */
  private async untilBack(board: WaitBoard, why: string, told: LedgerEntries) {
    let over = false;
    const asked = this.failureOf(
      activities<LedgerActivities>(LEDGER_AWAY, 'Tell the ledger when it is back').writeLedger(told),
    ).then(
      (failure) => ({ failure }),
      (error: unknown) => ({ error }),
    );
    const watched = asked.then(() => {
      over = true;
    });
    await waitFor(
      board,
      {
        reason: WaitReason.Ledger,
        sentence: `the ledger can't be written: ${why}`,
        endedBy: 'the ledger, when it answers again',
        seconds: AWAY_SECONDS,
        atDeadline: 'it is asked again',
      },
      () => over,
    );
    await watched;
    const answer = await asked;
    if ('error' in answer) throw answer.error;
    return answer.failure;
  }

  private async failureOf(call: Promise<unknown>): Promise<string | undefined> {
    try {
      await call;
      return undefined;
    } catch (error) {
      const failure = isCancellation(error) ? undefined : failureFrom(error);
      if (!failure) throw error;
      return failure.message;
    }
  }
}

/** Walks the whole audit: only workers reach the ledger, and of an embedded one only a single process. */
export async function verifyAudit(): Promise<AuditReport> {
  return activities<LedgerActivities>(LEDGER_READ, 'Walk the audit').verifyAudit();
}

/** Judges a past release again, from what the ledger keeps of it. */
export async function rejudge(order: RejudgeOrder): Promise<readonly Rejudgement[]> {
  return activities<LedgerActivities>(LEDGER_READ, `Judge ${order.release} again`).rejudge(order);
}
