import type { ReleaseView } from '../domain/release.ts';
import { harmless } from './display-width.ts';
import { durationBetween, formatTime } from './duration.ts';
import { type Language, MESSAGES } from './messages.ts';
import { rollbackText, STEP_SIGNS, waitText } from './render-release.ts';

/**
 * What happened to a release between two looks, a line each, for where nothing can be redrawn: a pipe, a log. Pure.
 *
 * @param before undefined at the first look
 */
export function releaseChanges(before: ReleaseView | undefined, after: ReleaseView, language: Language): string[] {
  const say = MESSAGES[language];
  const lines: string[] = [];
  if (before?.version === undefined && after.version !== undefined) {
    lines.push(`${after.service} ${after.version}, ${say.requestedBy(after.requestedBy)}`);
  }
  if (before?.plan === undefined && after.plan !== undefined) lines.push(say.plan(after.plan.digest));

  const known = new Map(before?.steps.map((step) => [step.id, step]));
  for (const step of after.steps) {
    const was = known.get(step.id);
    if (step.outcome === (was?.outcome ?? 'waiting')) continue;
    const took = step.outcome === 'running' ? undefined : durationBetween(step.startedAt, step.endedAt);
    const said = [`${STEP_SIGNS[step.outcome][0]} ${step.id}`, say.steps[step.outcome], took, step.detail];
    lines.push(said.filter((part) => part !== undefined && part !== '').join('  '));
  }

  if (
    after.wait !== undefined &&
    (after.wait.since !== before?.wait?.since || after.wait.reason !== before.wait.reason)
  ) {
    lines.push(waitText(after, say).join('; '));
  }
  for (const { by, at } of after.approvals.slice(before?.approvals.length ?? 0)) {
    lines.push(say.approvedBy(by, formatTime(at)));
  }
  for (const verdict of after.verdicts.slice(before?.verdicts.length ?? 0)) lines.push(say.verdict(verdict));
  for (const [index, rollback] of after.rollbacks.entries()) {
    const text = rollbackText(rollback, say);
    const was = before?.rollbacks[index];
    if (was === undefined || rollbackText(was, say) !== text) lines.push(text);
  }
  if (after.failure !== undefined && before?.failure === undefined) {
    lines.push(say.failure(after.failure.type, after.failure.message, after.failure.step));
  }
  if (after.outcome !== undefined && before?.outcome === undefined) {
    lines.push(`${after.id.replace(/^release\//, '')}: ${say.outcomes[after.outcome]}`);
  }
  return lines.map(harmless);
}
