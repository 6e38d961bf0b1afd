import type { Plan, Step } from '../../domain/plan.ts';
import type { ReleaseView, StepRecord } from '../../domain/release.ts';
import { isSkippedRightly } from './commands.ts';
import { isBaseline, type Moment, type Observation, type ObservedApp } from './observation.ts';

/** What must hold after every effect in production. Each says what is wrong, or nothing. */
export type WayInvariant = (moment: Moment) => string | undefined;

/** By the name under which a failing run tells them. */
export const WAY_INVARIANTS: Readonly<Record<string, WayInvariant>> = {
  'shares-sum-to-100': ({ observation: { shares } }) => {
    const parts = Object.values(shares ?? {});
    const sum = parts.reduce((total, share) => total + share, 0);
    return parts.length === 0 || Math.abs(sum - 100) < 1e-6 ? undefined : `the shares come to ${sum} %`;
  },
  'traffic-on-live-instances': (moment) => {
    if (mayGoDown(moment)) return undefined;
    const dead = sharesOf(moment.observation).find(([revision]) => appOf(moment.observation, revision)?.live === 0);
    const gone = sharesOf(moment.observation).find(([revision]) => !appOf(moment.observation, revision));
    const found = dead ?? gone;
    return found && `${found[0]} is to get ${found[1]} % and has no live instance`;
  },
  'capacity-follows-weight': (moment) => {
    if (mayGoDown(moment)) return undefined;
    const served = capacityBefore(moment);
    const short = sharesOf(moment.observation).find(([revision, share]) => {
      const live = appOf(moment.observation, revision)?.live ?? 0;
      return live < Math.floor((served * share) / 100 + 1e-9);
    });
    return (
      short && `${short[0]} gets ${short[1]} % on ${appOf(moment.observation, short[0])?.live} of ${served} instances`
    );
  },
  'capacity-never-under-the-floor': (moment) => {
    if (mayGoDown(moment)) return undefined;
    const live = revisionsOf(moment.observation).reduce((sum, app) => sum + app.live, 0);
    const floor = capacityBefore(moment);
    return live >= floor ? undefined : `${live} instances are live, ${floor} served before`;
  },
  'no-third-revision': ({ observation }) => {
    const revisions = revisionsOf(observation);
    const fresh = observation.apps.length - revisions.length;
    if (revisions.length <= 2 && fresh <= 1) return undefined;
    return `there are ${observation.apps.map(({ revision }) => revision).join(', ')}`;
  },
  'no-two-full-versions': ({ observation, before, view }) => {
    const served = before.apps.reduce((sum, app) => sum + app.wanted, 0);
    const shifting = view.steps.some(({ kind, outcome }) => kind === 'shift' && outcome === 'running');
    if (served < 3 || shifting || isGoingBack(view)) return undefined;
    const full = revisionsOf(observation).filter(
      ({ revision, wanted }) => wanted >= served && (observation.shares?.[revision] ?? 0) > 0,
    );
    return full.length <= 1 ? undefined : `${full.map(({ revision }) => revision).join(' and ')} both serve whole`;
  },
  'nothing-promoted-without-a-verdict': ({ observation, view, before }) => {
    const { plan } = view;
    if (!plan || isGoingBack(view)) return undefined;
    const share = newShare(observation, before);
    const judges = stepsUntil(plan, observation.environment, share).filter(
      (step) => step.kind === 'judge' && !isSkippedRightly(view, step),
    );
    const passed = view.verdicts.filter(({ result }) => result === 'pass').length;
    const undone = judges.find(({ id }) => recordOf(view, id)?.outcome !== 'done');
    if (undone) return `the new revision gets ${share} % and ${undone.id} is ${recordOf(view, undone.id)?.outcome}`;
    return passed >= judges.length
      ? undefined
      : `the new revision gets ${share} % after ${passed} of ${judges.length} verdicts`;
  },
  'nothing-in-production-without-approval': ({ observation, view, before }) => {
    const { plan } = view;
    if (!plan || isGoingBack(view) || !hasNew(observation, before)) return undefined;
    const share = newShare(observation, before);
    const short = stepsUntil(plan, observation.environment, share).find(
      (step) =>
        step.kind === 'approve' && approversOf(view, plan, step.id).size < step.count && !isSkippedRightly(view, step),
    );
    return short && `the new revision is there with ${share} % and ${short.id} has not its approvals`;
  },
  'nothing-goes-forward-while-held-up': ({ heldUp, view }) =>
    heldUp === undefined || isGoingBack(view) ? undefined : `it goes on although ${heldUp}`,
  'nothing-without-a-way-back': ({ mayGoBack, view }) =>
    mayGoBack || isGoingBack(view) ? undefined : 'what served before could not be started again',
  'nothing-by-strangers': ({ view }) =>
    view.requestedBy === 'eve' && !isGoingBack(view) ? 'eve may not release here' : undefined,
  'nothing-that-is-not-written-down': ({ view, written }) => {
    const running = view.steps.find(({ outcome }) => outcome === 'running');
    return !running || isGoingBack(view) || written.has(running.id)
      ? undefined
      : `the ledger does not know of ${running.id}`;
  },
  'no-more-than-planned': ({ adopted, observation, view, before }) => {
    const running = view.plan?.steps.find((step) => recordOf(view, step.id)?.outcome === 'running');
    if (!running || isGoingBack(view)) return undefined;
    const most = ('instances' in running ? running.instances : 0) + adopted;
    const fresh = revisionsOf(observation).find(
      (app) => !before.apps.some(({ revision }) => revision === app.revision),
    );
    if (running.kind !== 'shift' || !fresh || fresh.wanted <= most) return undefined;
    return `${fresh.revision} is to have ${fresh.wanted} instances in ${running.id}, which plans ${most}`;
  },
};

function approversOf(view: ReleaseView, plan: Plan, step: string): ReadonlySet<string> {
  const bound = view.approvals.filter(
    (given) => given.step === step && given.planDigest === plan.digest && given.by !== view.requestedBy,
  );
  return new Set(bound.map(({ by }) => by));
}

/** A release that puts back what was: no rule of the way forward holds for it. */
export const isGoingBack = (view: ReleaseView): boolean => view.steps.some(({ kind }) => kind === 'rollback');

/** Strategies that stop the old revision first go without capacity for a while, as their name says. */
function mayGoDown({ view }: Moment): boolean {
  return (view.plan?.steps ?? []).some((step) => step.kind === 'shift' && 'order' in step && step.order !== 'up-first');
}

function capacityBefore({ before }: Moment): number {
  return before.apps.reduce((sum, app) => sum + app.wanted, 0);
}

function newShare(observation: Observation, before: Observation): number {
  const known = new Set(before.apps.map(({ revision }) => revision));
  return sharesOf(observation)
    .filter(([revision]) => !known.has(revision) && !isBaseline(revision))
    .reduce((sum, [, share]) => sum + share, 0);
}

function hasNew(observation: Observation, before: Observation): boolean {
  return observation.apps.some((app) => !before.apps.some(({ revision }) => revision === app.revision));
}

/** The steps that come before the new revision may have so much traffic. */
function stepsUntil(plan: Plan, environment: string, share: number): readonly Step[] {
  const steps = plan.steps.filter((step) => 'environment' in step && step.environment === environment);
  const reached = steps.findIndex((step) => step.kind === 'shift' && step.weight >= share);
  return steps.slice(0, Math.max(0, reached));
}

const recordOf = (view: ReleaseView, id: string): StepRecord | undefined => view.steps.find((step) => step.id === id);

const revisionsOf = ({ apps }: Observation): readonly ObservedApp[] =>
  apps.filter(({ revision }) => !isBaseline(revision));

const appOf = ({ apps }: Observation, revision: string): ObservedApp | undefined =>
  apps.find((app) => app.revision === revision);

const sharesOf = ({ shares }: Observation): [string, number][] =>
  Object.entries(shares ?? {}).filter(([, share]) => share > 0);
