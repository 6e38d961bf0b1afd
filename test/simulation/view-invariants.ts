import type { ReleaseView } from '../../domain/release.ts';
import { isSkippedRightly } from './commands.ts';
import { isGoingBack } from './way-invariants.ts';

/** What may be waited for on a way back: the lane, and a system that it can't reach. */
const WAITS_BACK: ReadonlySet<string> = new Set(['admission', 'restore']);

/** What must hold of a release whenever it is asked; by name. */
export const VIEW_INVARIANTS: Readonly<Record<string, (view: ReleaseView) => string | undefined>> = {
  'every-wait-has-its-fields': ({ wait }) => {
    if (!wait) return undefined;
    const { reason, sentence, since, endedBy, deadline, atDeadline } = wait;
    const empty = Object.entries({ reason, sentence, since, endedBy, deadline, atDeadline }).find(
      ([, value]) => !value,
    );
    if (empty) return `a wait for ${reason} has no ${empty[0]}`;
    return Date.parse(deadline) > Date.parse(since)
      ? undefined
      : `a wait for ${reason} ends at ${deadline}, before it begins`;
  },
  'approvals-are-bound': ({ approvals, plan, requestedBy }) => {
    const people = approvals.map(({ by }) => by);
    const clicks = approvals.map(({ by, step }) => `${by} ${step}`);
    if (people.includes(requestedBy)) return `${requestedBy} approved the own release`;
    if (new Set(clicks).size < clicks.length) return `${clicks.join(', ')} approved: one of them twice`;
    const other = approvals.find(({ planDigest }) => planDigest !== plan?.digest);
    return other && `${other.by} approved ${other.planDigest}, the plan is ${plan?.digest}`;
  },
  'nothing-is-skipped-unasked': (view) => {
    const short = view.plan?.steps.find((step) => {
      const record = view.steps.find(({ id }) => id === step.id);
      return record?.outcome === 'skipped' && record.startedAt !== undefined && !isSkippedRightly(view, step);
    });
    return short && `${short.id} was skipped, and not enough people said so`;
  },
  'a-way-back-is-not-held-up': (view) =>
    view.wait && isGoingBack(view) && view.outcome === undefined && !WAITS_BACK.has(view.wait.reason)
      ? `it goes back, and waits: ${view.wait.sentence}`
      : undefined,
  'steps-in-order': ({ steps, plan }) => {
    if (!plan) return undefined;
    const records = steps.filter(({ kind }) => kind !== 'rollback');
    const begun = records.findLastIndex(({ outcome }) => ['running', 'done'].includes(outcome));
    const skipped = records
      .slice(0, Math.max(0, begun))
      .find(({ outcome }) => outcome === 'waiting' || outcome === 'running');
    return skipped && `${records[begun]?.id} has begun and ${skipped.id} is ${skipped.outcome}`;
  },
};
