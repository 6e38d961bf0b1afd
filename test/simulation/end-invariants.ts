import type { ReleaseView } from '../../domain/release.ts';
import type { LaneView } from '../../workflows/contract.ts';
import { letThrough } from './clicks.ts';
import type { EditStory } from './edits-on-the-way.ts';
import type { IllnessStory } from './illness.ts';
import { ILLNESS_INVARIANTS } from './illness-invariants.ts';
import type { LedgerStory } from './ledger-story.ts';
import { isBaseline, type Observation } from './observation.ts';
import type { ReleaseScript } from './scenario.ts';

/** An environment when a release has ended. */
export interface EndIn {
  readonly before: Observation;
  readonly after: Observation;
  readonly lane: LaneView | undefined;
}

/** Everything that is known when a release has ended and nothing moves. */
export interface End {
  readonly view: ReleaseView;
  readonly script: ReleaseScript;
  readonly production: EndIn;
  readonly integration: EndIn;
  readonly ledger: LedgerStory;
  /** Production as it was left, where another release has changed it since. */
  readonly left: Observation | undefined;
  /** Types of failures that are no fault of what is released. */
  readonly excused: ReadonlySet<string>;
  readonly illness: IllnessStory | undefined;
  readonly edit: EditStory | undefined;
  /** Digest that the version's release tag means. */
  readonly tagged: string | undefined;
}

type EndInvariant = (end: End) => string | undefined;

/** What must hold when a release has ended; by the name under which a failing run tells them. */
export const END_INVARIANTS: Readonly<Record<string, EndInvariant>> = {
  ...ILLNESS_INVARIANTS,
  'one-live-revision': (end) =>
    each(end, ({ after, lane }) => {
      const current = lane?.state.current;
      const live = after.apps.map(({ revision, live, wanted }) => `${revision} ${live}/${wanted}`).join(', ');
      const wanted = current ? `${current.revision} ${current.instances}/${current.instances}` : '';
      return live === wanted ? undefined : `${after.environment} runs [${live}], the lane says [${wanted}]`;
    }),
  'traffic-on-it-alone': (end) =>
    each(end, ({ after, lane }) => {
      const revision = lane?.state.current?.revision;
      const wanted = revision === undefined ? {} : { [revision]: 100 };
      const found = [after.shares ?? {}, ...after.given].find((shares) => !sameShares(shares, wanted));
      return found && `${after.environment} gives ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`;
    }),
  'nothing-left-over': (end) =>
    each(end, ({ after, lane }) => {
      const serves = lane?.state.current !== undefined;
      if (after.apps.some(({ revision }) => isBaseline(revision)))
        return `${after.environment} has fresh instances left`;
      if (!serves && after.shares !== undefined)
        return `${after.environment} has a traffic document and serves nothing`;
      if (!serves && after.name !== undefined) return `${after.environment} has a name and serves nothing`;
      if (lane?.holder !== undefined) return `${lane.holder} still holds ${after.environment}`;
      return lane && lane.queue.length > 0 ? `${lane.queue.join(', ')} wait for ${after.environment}` : undefined;
    }),
  'lane-and-world-agree': (end) =>
    each(end, ({ after, lane }) => {
      const current = lane?.state.current;
      if (!current) return undefined;
      const { environment } = after;
      const app = after.apps[0];
      if (app?.version !== current.bundle.version)
        return `${environment} runs ${app?.version}, the lane says ${current.bundle.version}`;
      const config = lane.state.configVersion ?? current.bundle.configVersion;
      if (String(config || '') !== (after.config ?? ''))
        return `${environment} has config ${after.config}, the lane says ${config}`;
      if (JSON.stringify(after.bounds) !== JSON.stringify(lane.state.bounds))
        return `${environment} has bounds ${JSON.stringify(after.bounds)}`;
      return after.name === undefined ? `${environment} serves and has no name` : undefined;
    }),
  'restored-whole': ({ view, left, production: { before, after } }) => {
    if (view.outcome === 'released' || view.plan === undefined) return undefined;
    const [was, is] = [before, left ?? after].map((observation) => JSON.stringify(withoutNumbers(observation)));
    return was === is ? undefined : `production was ${was} and is ${is}`;
  },
  'released-means-it-serves': ({ view, script, left, production: { after } }) => {
    if (view.outcome !== 'released') return undefined;
    const versions = (left ?? after).apps.map(({ version }) => version).join(', ');
    return versions === script.version ? undefined : `production runs ${versions}, not ${script.version}`;
  },
  'harm-never-stays': ({ view, script }) => {
    const judged = view.plan?.steps.some(({ kind }) => kind === 'judge') ?? false;
    const harmful = script.behaviour.errors > 0.05;
    const unjudged = view.commands?.some(({ name }) => name === 'skipAnalysis' || name === 'promoteFully') ?? false;
    return view.outcome === 'released' && judged && harmful && !unjudged
      ? `a version with ${script.behaviour.errors} errors serves`
      : undefined;
  },
  'the-release-tag-names-the-image': ({ view, tagged }) => {
    if (view.outcome !== 'released') return undefined;
    return tagged === view.bundle?.image.digest
      ? undefined
      : `v${view.version} is ${tagged}, released was ${view.bundle?.image.digest}`;
  },
  'planned-times-are-kept': ({ view }) => {
    const short = view.plan?.steps.find((step) => {
      if (step.kind !== 'hold' && step.kind !== 'bake') return false;
      const record = view.steps.find(({ id }) => id === step.id);
      if (record?.outcome !== 'done' || !record.startedAt || !record.endedAt) return false;
      return Date.parse(record.endedAt) - Date.parse(record.startedAt) < step.seconds * 1000;
    });
    return short && `${short.id} was shorter than planned`;
  },
  'what-is-good-gets-through': ({ view, script, edit, excused, illness }) => {
    if (view.plan === undefined && view.steps.every(({ kind }) => kind === 'rollback')) return undefined;
    const { approval, behaviour, buildFails, clicks, figuresFor, imageGone, requestedBy, testsFail, weather } = script;
    const works = testsFail === 'never' && (buildFails === 'never' || script.source !== 'git');
    const well = !illness || illness.until !== undefined;
    const good = behaviour.errors < 0.01 && behaviour.sick === 0 && works && well;
    const calm = weather.outages.length === 0 && weather.share < 0.05 && letThrough(clicks);
    if (requestedBy === 'eve' || imageGone > 1e6) return undefined;
    if (!good || !calm || approval !== 'given' || figuresFor < 1e6 || view.outcome === 'released') return undefined;
    if (view.failure && (view.failure.type === 'CanaryInconclusive' || excused.has(view.failure.type)))
      return undefined;
    if (edit && wentBackFor(edit, view)) return undefined;
    return `it is ${view.outcome}: ${view.failure?.message}`;
  },
  'every-end-is-told': ({ view }) => {
    const open = view.steps.find(({ outcome }) => outcome === 'running' || outcome === 'waiting');
    if (open) return `${open.id} is ${open.outcome} in a release that has ended`;
    if (view.wait) return `it waits for ${view.wait.reason} and has ended`;
    const asked = view.rollbacks.some(({ reason }) => reason !== '');
    const explained = view.outcome === 'released' || asked || Boolean(view.failure?.type && view.failure.message);
    return explained ? undefined : `it is ${view.outcome} and does not say why`;
  },
  'ledger-and-world-agree': ({ view, ledger }) => {
    if (ledger.outcome !== view.outcome) return `the ledger says ${ledger.outcome}, the release ${view.outcome}`;
    const differs = view.steps.find((step) => step.startedAt !== undefined && ledger.steps[step.id] !== step.outcome);
    if (differs)
      return `the ledger has ${differs.id} as ${ledger.steps[differs.id]}, the release as ${differs.outcome}`;
    if (ledger.verdicts !== view.verdicts.length)
      return `the ledger has ${ledger.verdicts} of ${view.verdicts.length} verdicts`;
    return ledger.approvals === view.approvals.length
      ? undefined
      : `the ledger has ${ledger.approvals} of ${view.approvals.length} approvals`;
  },
};

/** Somebody has sent it back for what was changed by hand, or it has found that itself. */
function wentBackFor({ answer, settled }: EditStory, { failure }: ReleaseView): boolean {
  return settled ? answer === 'roll back' : failure?.type === 'Drifted';
}

function each({ production, integration }: End, says: (end: EndIn) => string | undefined): string | undefined {
  return says(production) ?? says(integration);
}

/** Percent as the balancers' whole weights come to them. */
function sameShares(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => Math.abs((one[name] ?? 0) - (other[name] ?? 0)) < 1e-6);
}

const withoutNumbers = ({ apps, shares, name, config, bounds }: Observation) => ({
  apps,
  shares,
  name,
  config,
  bounds,
});
