import type { ReleaseView, RollbackRecord, StepOutcome, StepRecord } from '../domain/release.ts';
import { WaitReason } from '../domain/wait.ts';
import { type Color, type Paint, painter } from './colors.ts';
import { displayWidth, harmless, harmlessLine, padded, truncate, wrapped } from './display-width.ts';
import { durationBetween, formatDuration, formatTime } from './duration.ts';
import { failureDetails } from './failure-details.ts';
import { type Language, MESSAGES, type Messages } from './messages.ts';
import { VERDICT_COLORS, verdictEvidence } from './render-verdict.ts';

export interface RenderOptions {
  /** Columns of the terminal; no line is wider. */
  readonly width: number;
  readonly color: boolean;
  /** Default English. */
  readonly language?: Language;
  /** The time now, ISO 8601: what runs shows for how long. Without it only what has ended does. */
  readonly now?: string;
}

/** A sign and a colour for each state; the word stands beside them. */
export const STEP_SIGNS: Readonly<Record<StepOutcome, readonly [sign: string, color: Color]>> = {
  waiting: ['○', 'dim'],
  running: ['▶', 'cyan'],
  done: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
  undone: ['↩', 'yellow'],
};

const OUTCOME_COLORS: Readonly<Record<NonNullable<ReleaseView['outcome']> | 'running', Color>> = {
  released: 'green',
  'rolled-back': 'yellow',
  failed: 'red',
  aborted: 'yellow',
  running: 'cyan',
};

/** A release as a tree of its steps. Pure: the same view, options and time give the same lines. */
export function renderRelease(view: ReleaseView, options: RenderOptions): string[] {
  const say = MESSAGES[options.language ?? 'en'];
  const paint = painter(options.color);
  const line = (prefix: string, text: string, color?: Color) => {
    const fitted = truncate(harmless(text), options.width - displayWidth(prefix));
    return `${prefix}${color === undefined ? fitted : paint(color, fitted)}`;
  };
  const details = [
    view.id.replace(/^release\//, ''),
    ...(view.commit === undefined ? [] : [say.commit(view.commit.slice(0, 12))]),
    say.requestedBy(view.requestedBy),
  ];
  return [
    title(view, options, say, paint),
    line('  ', details.join(' · '), 'dim'),
    ...stepLines(view, options, say, paint),
    ...afterSteps(view, say).map(([text, color]) => line('  ', text, color)),
    ...detailLines(view, options.width),
    ...(view.plan === undefined ? [] : [line('  ', say.plan(view.plan.digest), 'dim')]),
  ];
}

function title(view: ReleaseView, options: RenderOptions, say: Messages, paint: Paint): string {
  const state = view.outcome ?? 'running';
  const name = harmless([view.service, view.version].filter((part) => part !== undefined).join(' '));
  const rest = [say.outcomes[state], durationBetween(view.startedAt, view.endedAt ?? options.now)];
  const [word = '', ...age] = rest.filter((part) => part !== undefined);
  const tail = age.map((part) => ` · ${part}`).join('');
  const fitted = truncate(name, options.width - displayWidth(` · ${word}${tail}`));
  return `${paint('bold', fitted)} · ${paint(OUTCOME_COLORS[state], word)}${tail}`;
}

function stepLines(view: ReleaseView, options: RenderOptions, say: Messages, paint: Paint): string[] {
  const ids = Math.max(0, ...view.steps.map(({ id }) => displayWidth(harmless(id))));
  const words = Math.max(...Object.values(say.steps).map(displayWidth));
  const running = view.steps.findLastIndex(({ outcome }) => outcome === 'running');
  // Without a running step the wait belongs to what comes first, such as admission.
  const waitAt = running === -1 ? view.steps.length - 1 : running;
  const waitLines = waitText(view, say);
  const lines = view.steps.flatMap((step, index) => {
    const last = index === view.steps.length - 1;
    const [sign, color] = STEP_SIGNS[step.outcome];
    const columns = [
      padded(harmless(step.id), ids),
      padded(say.steps[step.outcome], words),
      age(step, options).padStart(7),
    ];
    const head = `${last ? '└' : '├'} `;
    const text = `${columns.join('  ')}  ${harmless(step.detail ?? '')}`.trimEnd();
    const fitted = truncate(text, options.width - displayWidth(head) - 2);
    const own = `${head}${paint(color, sign)} ${step.outcome === 'waiting' ? paint('dim', fitted) : fitted}`;
    const under = index === waitAt ? waitLines : [];
    return [own, ...under.map((text) => underStep(last, text, options, paint))];
  });
  return view.steps.length === 0 ? waitLines.map((text) => underStep(true, text, options, paint)) : lines;
}

function underStep(last: boolean, text: string, options: RenderOptions, paint: Paint): string {
  const prefix = last ? '      ' : '│     ';
  return `${prefix}${paint('yellow', truncate(harmless(text), options.width - prefix.length))}`;
}

/** Why nothing moves, who or what ends that and how, and what happens if nobody does; empty where nothing waits. */
export function waitText({ drift, id, service, wait }: ReleaseView, say: Messages): string[] {
  const changed =
    drift === undefined ? [] : [say.changedByHand(drift), say.toResolve(`${drift.environment} ${service}`)];
  if (wait === undefined) return changed;
  return [
    ...changed,
    say.waiting(wait.sentence),
    say.endedBy(wait.endedBy),
    say.deadline(formatTime(wait.deadline), wait.atDeadline),
    ...(wait.reason === WaitReason.Approval ? [say.toApprove(id.replace(/^release\//, ''))] : []),
  ];
}

function afterSteps(view: ReleaseView, say: Messages): (readonly [text: string, color?: Color])[] {
  return [
    ...view.approvals.map(({ by, at }) => [say.approvedBy(by, formatTime(at))] as const),
    ...view.verdicts.map((verdict) => [say.verdict(verdict), VERDICT_COLORS[verdict.result]] as const),
    // The last one has what the ones before had, and more.
    ...view.verdicts.slice(-1).map((verdict) => [verdictEvidence(verdict, say), 'dim'] as const),
    ...view.rollbacks.map((rollback) => [rollbackText(rollback, say), 'yellow'] as const),
    ...(view.failure === undefined
      ? []
      : [[say.failure(view.failure.type, view.failure.message, view.failure.step), 'red'] as const]),
  ];
}

const DETAIL_INDENT = '    ';

/** Whole, where all else is cut to the terminal: an error message or a log is of no use without its end. */
function detailLines({ failure }: ReleaseView, width: number): string[] {
  if (failure === undefined) return [];
  return failureDetails(failure)
    .flatMap((text) => wrapped(harmlessLine(text), width - DETAIL_INDENT.length))
    .map((text) => `${DETAIL_INDENT}${text}`.trimEnd());
}

/** A rollback in one line, with how long traffic and the rest took. */
export function rollbackText(rollback: RollbackRecord, say: Messages): string {
  const traffic = durationBetween(rollback.decidedAt, rollback.trafficAt);
  const all = durationBetween(rollback.decidedAt, rollback.doneAt);
  return [
    say.rollback(rollback.environment, rollback.reason),
    ...(traffic === undefined ? [] : [say.trafficBack(traffic)]),
    ...(all === undefined ? [] : [say.restored(all)]),
  ].join('; ');
}

function age(step: StepRecord, { now }: RenderOptions): string {
  if (step.startedAt === undefined) return '';
  const end = step.endedAt ?? now;
  return end === undefined ? '' : formatDuration(Date.parse(end) - Date.parse(step.startedAt));
}
