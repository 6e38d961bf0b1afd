/** What people may say to a release under way besides stopping it, and when that counts. */
import type { Group, Refusal } from './approval.ts';
import { FailureType } from './failures.ts';
import { type Plan, type Step, stepEnvironment } from './plan.ts';
import type { CommandRecord } from './release.ts';

export type CommandName = CommandRecord['name'];

/** Commands by the words that people use for them: in addresses, in chat and on the command line. */
export const CONTROL_VERBS = {
  pause: 'pause',
  resume: 'resume',
  'skip-hold': 'skipHold',
  'skip-analysis': 'skipAnalysis',
  'retry-step': 'retryStep',
  'promote-fully': 'promoteFully',
} as const satisfies Record<string, CommandName>;

export type ControlVerb = keyof typeof CONTROL_VERBS;

/** A person's word, as it came. */
export interface ControlCommand {
  readonly name: CommandName;
  readonly by: string;
  /** The step that the person means; absent for the one under way. */
  readonly step?: string;
  /** Digest of the plan that the person saw; absent for whatever plan it is. */
  readonly planDigest?: string;
}

/** Where a release is, as far as a command needs to know. */
export interface ControlSituation {
  readonly requestedBy: string;
  /** Absent while it is prepared. */
  readonly plan?: Plan;
  /** The step under way. */
  readonly current?: Step;
  readonly paused: boolean;
  /** The step that failed and may be tried again now. */
  readonly failed?: string;
  /** Steps that are skipped already. */
  readonly skipped: ReadonlySet<string>;
  /** Words that count already. */
  readonly said: readonly CommandRecord[];
  /** Groups that approve steps of the plan name. */
  readonly groups: readonly Group[];
}

/** Analysis is skipped only by so many different people. */
const PEOPLE_TO_SKIP_ANALYSIS = 2;

/** Why this word does not count now; undefined when it does. */
export function refuseCommand(command: ControlCommand, now: ControlSituation): Refusal | undefined {
  const { name, planDigest, step } = command;
  const { current, plan } = now;
  if (planDigest !== undefined && planDigest !== plan?.digest) {
    return {
      type: FailureType.PlanDigestMismatch,
      message: `the plan is ${plan?.digest ?? 'not made yet'}, not ${planDigest}; look at it again`,
    };
  }
  const unknown = refuseStep(step, plan);
  if (unknown) return unknown;
  switch (name) {
    case 'pause':
      return now.paused ? { type: FailureType.AlreadyPaused, message: 'the release is paused already' } : undefined;
    case 'resume':
      return now.paused ? undefined : { type: FailureType.NotPaused, message: 'the release is not paused' };
    case 'retryStep':
      return now.failed !== undefined && (step ?? now.failed) === now.failed
        ? undefined
        : {
            type: FailureType.NothingToRetry,
            message: now.failed
              ? `${now.failed} has failed and may be tried again, not ${step}`
              : 'no step has failed that could be tried again',
          };
    case 'skipHold':
    case 'skipAnalysis': {
      const kinds = SKIPPED_BY[name];
      if (!current || !kinds.includes(current.kind) || (step ?? current.id) !== current.id) {
        return nothing(
          `${current?.id ?? 'the preparation'} is under way, and that is no ${kinds.join(' or ')} to skip`,
        );
      }
      if (now.skipped.has(current.id)) return nothing(`${current.id} is skipped already`);
      return name === 'skipHold' ? undefined : refusePerson(command, current.id, now, []);
    }
    case 'promoteFully': {
      const rest = toSkip(now);
      if (rest.length === 0) return nothing('no hold, judge or approval of this environment is under way or to come');
      if (!rest.some(isGuarded)) return undefined;
      const names = rest.flatMap((each) => (each.kind === 'approve' && each.group !== undefined ? [each.group] : []));
      return refusePerson(command, aboutOf(name, now), now, names);
    }
  }
}

/** Why this step can't be meant; undefined when the plan has it, or none is named. */
export function refuseStep(step: string | undefined, plan: Plan | undefined): Refusal | undefined {
  if (step === undefined || plan?.steps.some(({ id }) => id === step)) return undefined;
  return { type: FailureType.UnknownStep, message: `the plan has no step ${step}` };
}

/** What a word is about: a step, or for `promoteFully` an environment; undefined where neither is needed. */
export function subjectOf(
  { name, step }: Pick<ControlCommand, 'name' | 'step'>,
  now: ControlSituation,
): string | undefined {
  if (name === 'pause' || name === 'resume') return undefined;
  return name === 'retryStep' ? (step ?? now.failed) : aboutOf(name, now);
}

/**
 * How many more people must say so before a word that counts has its effect; 0 when it has it now. Holds are skipped by
 * one person, analysis by two, and what skips approvals needs as many people as they do.
 */
export function missingPeople(name: CommandName, now: ControlSituation): number {
  if (name !== 'skipAnalysis' && name !== 'promoteFully') return 0;
  const steps = name === 'promoteFully' ? toSkip(now) : now.current ? [now.current] : [];
  const needed = Math.max(1, ...steps.map(peopleToSkip));
  const about = aboutOf(name, now);
  const people = new Set(now.said.filter((word) => word.name === name && word.about === about).map(({ by }) => by));
  return Math.max(0, needed - people.size);
}

/** The holds, judges and approvals of the environment under way that have not ended: what promoting fully skips. */
export function toSkip({ current, plan, skipped }: ControlSituation): readonly Step[] {
  const environment = current && stepEnvironment(current);
  if (!current || !plan || environment === undefined) return [];
  return plan.steps
    .slice(plan.steps.findIndex(({ id }) => id === current.id))
    .filter((step) => stepEnvironment(step) === environment && HOLDS_UP.has(step.kind) && !skipped.has(step.id));
}

const SKIPPED_BY: Readonly<Record<'skipHold' | 'skipAnalysis', readonly Step['kind'][]>> = {
  skipHold: ['hold', 'bake'],
  skipAnalysis: ['judge'],
};

const HOLDS_UP: ReadonlySet<Step['kind']> = new Set(['hold', 'judge', 'approve']);

function isGuarded({ kind }: Step): boolean {
  return kind === 'judge' || kind === 'approve';
}

function peopleToSkip(step: Step): number {
  if (step.kind === 'judge') return PEOPLE_TO_SKIP_ANALYSIS;
  return step.kind === 'approve' ? step.count : 1;
}

/** A word that stands for a judgement or an approval is never the requester's, and nobody's twice. */
function refusePerson(
  { by, name }: ControlCommand,
  about: string | undefined,
  { groups, requestedBy, said }: ControlSituation,
  needed: readonly string[],
): Refusal | undefined {
  if (by === requestedBy) {
    return { type: FailureType.SelfApproval, message: `${by} asked for this release and may not let it skip that` };
  }
  const other = needed.find(
    (group) => !groups.some(({ name: known, members }) => known === group && members.includes(by)),
  );
  if (other !== undefined) {
    return { type: FailureType.NotInGroup, message: `${by} is not in ${other}, whose approval would be skipped` };
  }
  if (said.some((word) => word.name === name && word.by === by && word.about === about)) {
    return { type: FailureType.AlreadySaid, message: `${by} has said so already; another person is needed` };
  }
  return undefined;
}

function aboutOf(name: CommandName, { current }: ControlSituation): string | undefined {
  return name === 'promoteFully' ? current && stepEnvironment(current) : current?.id;
}

function nothing(message: string): Refusal {
  return { type: FailureType.NothingToSkip, message };
}
