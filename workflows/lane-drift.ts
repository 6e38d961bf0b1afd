import { ActivityFailure, ApplicationFailure, isCancellation, log, patched } from '@temporalio/workflow';
import type { DriftActivities } from '../activities/drift/activities.ts';
import { counted } from '../domain/counted.ts';
import type { Difference, Expected } from '../domain/drift.ts';
import { type DriftView, named, sayAll } from '../domain/drift-sentences.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { WaitReason } from '../domain/wait.ts';
import { refuseWord } from '../domain/word.ts';
import { type CommandInput, laneWorkflowId, type OpenDrift } from './contract.ts';
import { DriftWatch, sightingOf } from './drift-watch.ts';
import { failureFrom } from './failure.ts';
import type { LedgerBook } from './ledger.ts';
import { tellChat } from './notice.ts';
import { activities, LOOK } from './options.ts';
import { adoptFound, revertFound } from './resolve-drift.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** How long an open change waits before chat is told once more. */
const REMIND_SECONDS = 24 * 3600;

/** What a person wants done about a hand-made change. */
interface Wanted extends CommandInput {
  readonly verb: 'adopt' | 'revert';
}

/** Hand-made changes of an idle lane: seen, shown, and adopted or reverted when a person says so. Never by itself. */
export class LaneDrift {
  private readonly watch = new DriftWatch(({ differences }) => this.found(differences));
  private readonly environment: string;
  private readonly service: string;
  private open: OpenDrift | undefined;
  private wanted: Wanted | undefined;
  /** What is done about it now, or came of the last try. */
  private said: string | undefined;

  private readonly book: Pick<LedgerBook, 'note'>;

  /**
   * @param carried what was open when the lane continued as new
   * @param book is told what was seen, and what was done about it
   */
  constructor(
    { environment, service }: Pick<LaneState, 'environment' | 'service'>,
    carried: OpenDrift | undefined,
    book: Pick<LedgerBook, 'note'>,
  ) {
    this.book = book;
    this.environment = environment;
    this.service = service;
    this.open = carried;
  }

  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** A person has said what to do. */
  get hasWork(): boolean {
    return this.open !== undefined && this.wanted !== undefined;
  }

  get carried(): OpenDrift | undefined {
    return this.open;
  }

  view(): DriftView | undefined {
    if (!this.open) return undefined;
    const { found, since } = this.open;
    return {
      since,
      environment: this.environment,
      differences: named(found),
      ...(this.said === undefined ? {} : { resolution: this.said }),
    };
  }

  /** In one sentence. */
  get sentence(): string {
    return this.open ? sayAll(named(this.open.found)).en : 'all is as Slipway made it';
  }

  /** @throws ApplicationFailure `NoDrift` when there is nothing to adopt or revert, `RequestInvalid` without who and why */
  refuse(command: CommandInput): void {
    const unsaid = refuseWord(command, 'by', 'reason');
    if (unsaid) throw ApplicationFailure.nonRetryable(unsaid.message, unsaid.type);
    const why = !this.open ? 'nothing was changed by hand' : this.wanted ? 'it is being resolved already' : undefined;
    if (why === undefined) return;
    throw ApplicationFailure.nonRetryable(`${this.service} in ${this.environment}: ${why}`, FailureType.NoDrift);
  }

  want(wanted: Wanted): void {
    this.wanted = wanted;
  }

  /** Watches that all stays so; what is open already is not told again. */
  over(expected: Expected | undefined): void {
    this.watch.over(expected, this.open?.found ?? []);
  }

  stop(): void {
    this.watch.stop();
  }

  /** Nothing is open any more: a release has set everything anew. */
  clear(): void {
    this.stop();
    this.open = undefined;
    this.wanted = undefined;
    this.said = undefined;
  }

  /** Looks now. @returns true when nothing differs, or nobody can tell */
  async isAsExpected(expected: Expected): Promise<boolean> {
    try {
      const look = activities<DriftActivities>(LOOK, `Is ${this.service} as it was, before a release begins`);
      const { differences: found } = sightingOf(await look.findDrift({ expected }));
      if (found.length > 0) this.found(found);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.warn('it could not be looked for hand-made changes', { environment: this.environment, error });
    }
    return !this.isOpen;
  }

  /** Shows what is open until something is to be done. */
  async show(board: WaitBoard, ended: () => boolean): Promise<void> {
    const { environment, service } = this;
    const open = this.open;
    const wait = {
      reason: WaitReason.Drift,
      sentence: `${service} in ${environment} was changed by hand: ${this.sentence}`,
      endedBy: 'a person who adopts or reverts it, or puts it back by hand',
      seconds: REMIND_SECONDS,
      atDeadline: 'chat is told again',
    };
    if (!(await waitFor(board, wait, () => this.open !== open || ended()))) this.tell();
  }

  /**
   * Does what the person said.
   *
   * @returns what the lane shall know from now on
   */
  async resolve(state: LaneState, expected: Expected): Promise<LaneState> {
    const { open, wanted } = this;
    if (!open || !wanted) return state;
    const { by, reason, verb } = wanted;
    this.stop();
    this.said = `${by} ${VERBS[verb].now}: ${reason}`;
    try {
      const next =
        verb === 'adopt' ? await adoptFound(state, open.found) : await revertFound(state, expected, open.found);
      this.noteResolved(open, wanted);
      this.clear();
      this.notify(
        VERBS[verb].done(by, `${this.service} (${this.environment})`, counted(open.found.length, 'change'), reason),
      );
      return next;
    } catch (error) {
      const failure = isCancellation(error) ? undefined : failureFrom(error);
      if (!failure) throw error;
      log.error('a hand-made change could not be resolved', { environment: this.environment, verb, failure });
      this.said = `${by} ${VERBS[verb].past} it, and that failed: ${failure.message}`;
      this.wanted = undefined;
      return state;
    }
  }

  private noteResolved({ found }: OpenDrift, { by, reason, verb }: Wanted): void {
    // Runs that resolved one before this was noted must go the same way again.
    if (!patched('drift-resolved')) return;
    const how = verb === 'adopt' ? 'adopted' : 'reverted';
    const of = { at: new Date().toISOString(), environment: this.environment, differences: named(found) };
    this.book.note({ kind: 'drift-resolved', ...of, how, by, reason });
  }

  private found(found: readonly Difference[]): void {
    if (found.length === 0) {
      this.open = undefined;
      this.wanted = undefined;
      this.said = undefined;
      return;
    }
    const at = new Date().toISOString();
    this.open = { since: this.open?.since ?? at, found };
    this.book.note({ kind: 'drifted', at, environment: this.environment, differences: named(found) });
    this.tell();
  }

  private tell(): void {
    if (!this.open) return;
    const { environment, service } = this;
    const { en, zh } = sayAll(named(this.open.found));
    const where = `${environment}/${service}`;
    this.notify({
      en: `${service} in ${environment} was changed by hand: ${en}. Say: adopt ${where} <why>, or revert ${where} <why>`,
      zh: `${environment} 的 ${service} 被手工修改：${zh}。请回复：采纳 ${where} <原因>，或 还原 ${where} <原因>`,
    });
  }

  /** Nobody waits for chat. */
  private notify(text: { readonly en: string; readonly zh: string }): void {
    void tellChat({ kind: 'drift', release: laneWorkflowId(this.environment, this.service), text });
  }
}

const VERBS = {
  adopt: {
    now: 'adopts it',
    past: 'adopted',
    done: (by: string, what: string, changes: string, reason: string) => ({
      en: `${by} adopted ${changes} made by hand to ${what}: ${reason}`,
      zh: `${by} 采纳了对 ${what} 的手工修改：${reason}`,
    }),
  },
  revert: {
    now: 'reverts it',
    past: 'reverted',
    done: (by: string, what: string, changes: string, reason: string) => ({
      en: `${by} reverted ${changes} made by hand to ${what}: ${reason}`,
      zh: `${by} 还原了对 ${what} 的手工修改：${reason}`,
    }),
  },
} as const;
