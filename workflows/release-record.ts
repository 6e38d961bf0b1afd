import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Bundle } from '../domain/bundle.ts';
import { type DriftView, type NamedDifference, sayAll } from '../domain/drift-sentences.ts';
import type { JudgeInputs } from '../domain/judge/inputs.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import { type Plan, stepEnvironment } from '../domain/plan.ts';
import type {
  ApprovalRecord,
  CommandRecord,
  ReleaseFailure,
  ReleaseOutcome,
  ReleaseView,
  RollbackRecord,
  StepRecord,
} from '../domain/release.ts';
import type { Veto } from '../domain/veto.ts';
import type { Wait } from '../domain/wait.ts';
import { SearchAttribute } from './contract.ts';
import type { LedgerBook } from './ledger.ts';
import type { WaitBoard } from './wait.ts';

const now = () => new Date().toISOString();

/** What a release has done so far. Everything that changes here is shown at once: query, Temporal UI, search. */
export class ReleaseRecord implements WaitBoard {
  readonly approvals: ApprovalRecord[] = [];
  readonly commands: CommandRecord[] = [];
  private pausedBy: CommandRecord | undefined;
  private readonly steps: StepRecord[] = [];
  private readonly verdicts: Verdict[] = [];
  private lastInputs: JudgeInputs | undefined;
  private readonly rollbacks: RollbackRecord[] = [];
  private readonly startedAt = now();
  private readonly id: string;
  private readonly service: string;
  private readonly requestedBy: string;
  private readonly book: LedgerBook;
  private plan: Plan | undefined;
  private bundle: Bundle | undefined;
  private wait: Wait | undefined;
  private drift: DriftView | undefined;
  private outcome: ReleaseOutcome | undefined;
  private endedAt: string | undefined;
  private failure: ReleaseFailure | undefined;

  /** @param request what was asked for, as the ledger shall keep it */
  constructor(id: string, service: string, requestedBy: string, book: LedgerBook, request: unknown) {
    this.id = id;
    this.service = service;
    this.requestedBy = requestedBy;
    this.book = book;
    book.note({ kind: 'begun', at: this.startedAt, by: requestedBy, request });
    upsertSearchAttributes([
      { key: SearchAttribute.Service, value: service },
      { key: SearchAttribute.Stage, value: 'prepare' },
    ]);
    this.changed();
  }

  planned(plan: Plan): void {
    this.plan = plan;
    this.book.note({ kind: 'planned', at: now(), digest: plan.digest, plan });
    for (const step of plan.steps) this.steps.push({ ...entryOf(step), outcome: 'waiting' });
    this.changed();
  }

  built(bundle: Bundle): void {
    this.bundle = bundle;
    this.book.note({ kind: 'bundle', at: now(), bundle });
    this.changed();
  }

  /** A step that stands in no plan, such as a rollback. */
  added(step: Pick<StepRecord, 'id' | 'kind' | 'environment'>): void {
    this.steps.push({ ...step, outcome: 'waiting' });
    this.changed();
  }

  started(id: string): void {
    const step = this.step(id);
    step.outcome = 'running';
    step.startedAt = now();
    this.noteStep(step);
    upsertSearchAttributes([
      { key: SearchAttribute.Stage, value: id },
      ...(step.environment === undefined ? [] : [{ key: SearchAttribute.Environment, value: step.environment }]),
    ]);
    this.changed();
  }

  ended(id: string, outcome: StepRecord['outcome'], detail: string): void {
    const step = this.step(id);
    step.outcome = outcome;
    step.endedAt = now();
    step.detail = detail;
    this.noteStep(step);
    this.changed();
  }

  approved(approval: ApprovalRecord): void {
    this.approvals.push(approval);
    this.book.note({ kind: 'approval', at: approval.at, approval });
    this.changed();
  }

  /** What somebody said, whether it has its effect now or needs others. */
  commanded(command: CommandRecord): void {
    this.commands.push(command);
    this.book.note({ kind: 'command', at: command.at, command });
    this.changed();
  }

  /** @param by the word that paused it; undefined when it goes on */
  paused(by: CommandRecord | undefined): void {
    this.pausedBy = by;
    this.changed();
  }

  /** @param view what was changed by hand and is open; undefined when nothing is any more */
  drifts(view: DriftView | undefined): void {
    this.drift = view;
    this.changed();
  }

  driftSeen(environment: string, differences: readonly NamedDifference[]): void {
    this.book.note({ kind: 'drifted', at: now(), environment, differences });
  }

  driftResolved(
    environment: string,
    differences: readonly NamedDifference[],
    how: 'adopted' | 'reverted',
    by: string,
    reason: string,
  ): void {
    this.book.note({ kind: 'drift-resolved', at: now(), environment, differences, how, by, reason });
  }

  /** What was done in the environment is done no more. */
  undone(environment: string): void {
    for (const step of this.steps) {
      if (step.environment !== environment || step.outcome !== 'done' || !CHANGES.has(step.kind)) continue;
      step.outcome = 'undone';
      this.noteStep(step);
    }
    this.changed();
  }

  /** Everything that has not begun will not. */
  skipRest(): void {
    for (const step of this.steps) {
      if (step.outcome !== 'waiting') continue;
      step.outcome = 'skipped';
      this.noteStep(step);
    }
    this.changed();
  }

  revision(revision: string): void {
    upsertSearchAttributes([{ key: SearchAttribute.Revision, value: revision }]);
  }

  show(wait: Wait | undefined): void {
    this.wait = wait;
    this.changed();
  }

  /** @param of the step, and the name of the judge in the manifest */
  judged(verdict: Verdict, inputs: JudgeInputs, of: { readonly step: string; readonly judge: string }): void {
    this.verdicts.push(verdict);
    this.lastInputs = inputs;
    this.book.note({ kind: 'verdict', at: now(), number: this.verdicts.length, ...of, verdict, inputs });
    this.changed();
  }

  rolledBack(rollback: RollbackRecord): void {
    this.rollbacks.push(rollback);
    this.book.note({ kind: 'rollback', at: now(), rollback });
    this.changed();
  }

  /** The bundle was taken back from the environment and may not come again. @returns what its lane is to be told */
  vetoed(environment: string, { id, version }: Bundle, reason: string): Veto {
    const veto: Veto = { bundle: id, version, release: this.id, reason, at: now() };
    this.book.note({ kind: 'vetoed', at: veto.at, environment, veto });
    return veto;
  }

  finished(outcome: ReleaseOutcome, failure?: ReleaseFailure): void {
    this.outcome = outcome;
    this.failure = failure;
    this.endedAt = now();
    this.book.note({ kind: 'ended', at: this.endedAt, outcome, ...(failure === undefined ? {} : { failure }) });
    upsertSearchAttributes([
      { key: SearchAttribute.Stage, value: 'ended' },
      { key: SearchAttribute.Outcome, value: outcome },
    ]);
    this.changed();
  }

  get isOver(): boolean {
    return this.outcome !== undefined;
  }

  view(): ReleaseView {
    return {
      id: this.id,
      service: this.service,
      requestedBy: this.requestedBy,
      startedAt: this.startedAt,
      ...(this.endedAt === undefined ? {} : { endedAt: this.endedAt }),
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
      ...(this.plan === undefined ? {} : { plan: this.plan, version: this.plan.version, commit: this.plan.commit }),
      ...(this.bundle === undefined
        ? {}
        : { bundle: this.bundle, version: this.bundle.version, commit: this.bundle.commit }),
      steps: this.steps,
      ...(this.wait === undefined ? {} : { wait: this.wait }),
      ...(this.drift === undefined ? {} : { drift: this.drift }),
      ...(this.pausedBy === undefined ? {} : { paused: this.pausedBy }),
      ...(this.commands.length === 0 ? {} : { commands: this.commands }),
      approvals: this.approvals,
      verdicts: this.verdicts,
      ...(this.lastInputs === undefined ? {} : { judged: this.lastInputs }),
      rollbacks: this.rollbacks,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
    };
  }

  private noteStep(step: StepRecord): void {
    this.book.note({ kind: 'step', at: now(), step: { ...step } });
  }

  private step(id: string): StepRecord {
    const step = this.steps.find((candidate) => candidate.id === id);
    if (!step) throw new Error(`no step ${id}`);
    return step;
  }

  private changed(): void {
    setCurrentDetails(describe(this.view()));
  }
}

const CHANGES: ReadonlySet<StepRecord['kind']> = new Set(['deploy', 'shift', 'retire']);

const MARKS: Record<StepRecord['outcome'], string> = {
  waiting: '○',
  running: '▶',
  done: '✓',
  failed: '✗',
  skipped: '–',
  undone: '↩',
};

/** The release as the Temporal UI shows it: Markdown. */
function describe(view: ReleaseView): string {
  const { version, outcome, wait, failure } = view;
  return [
    `**${view.service}${version === undefined ? '' : ` ${version}`}**: ${outcome ?? 'running'}, asked for by ${view.requestedBy}`,
    ...(view.paused ? [`Paused by ${view.paused.by}: ${view.paused.reason}.`] : []),
    ...(wait ? [`Waiting: ${wait.sentence}. Ended by ${wait.endedBy}; at ${wait.deadline} ${wait.atDeadline}.`] : []),
    ...(view.drift ? [`Changed by hand in ${view.drift.environment}: ${sayAll(view.drift.differences).en}.`] : []),
    ...(failure ? [`${failure.type}: ${failure.message}`] : []),
    ...view.verdicts.slice(-1).map(({ result, rule, sentence }) => `Verdict ${result} (${rule}): ${sentence}.`),
    view.steps
      .map((step) => `- ${MARKS[step.outcome]} ${step.id}${step.detail === undefined ? '' : `: ${step.detail}`}`)
      .join('\n'),
    ...(view.plan ? [`Plan ${view.plan.digest}`] : []),
  ].join('\n\n');
}

function entryOf(step: Plan['steps'][number]): Pick<StepRecord, 'id' | 'kind' | 'environment'> {
  const environment = stepEnvironment(step);
  return { id: step.id, kind: step.kind, ...(environment === undefined ? {} : { environment }) };
}
