import type { Step } from '../../domain/plan.ts';
import type { ReleaseView } from '../../domain/release.ts';

const PEOPLE_FOR_ANALYSIS = 2;

/** True where as many people as it takes, none of whom asked for the release where it guards something, let it skip a step. */
export function isSkippedRightly({ commands = [], requestedBy }: ReleaseView, step: Step): boolean {
  if (!('environment' in step)) return false;
  const words = commands.filter(
    ({ name, about }) =>
      (name === 'promoteFully' && about === step.environment) ||
      ((name === 'skipHold' || name === 'skipAnalysis') && about === step.id),
  );
  const needed = step.kind === 'judge' ? PEOPLE_FOR_ANALYSIS : step.kind === 'approve' ? step.count : 1;
  const guards = step.kind === 'judge' || step.kind === 'approve';
  const people = new Set(words.map(({ by }) => by).filter((by) => !guards || by !== requestedBy));
  return people.size >= needed;
}
