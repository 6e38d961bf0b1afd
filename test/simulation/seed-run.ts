import { setTimeout as delay } from 'node:timers/promises';
import type { WhenBusy } from '../../domain/admission.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { releaseQuery } from '../../workflows/contract.ts';
import { Calendar } from './calendar.ts';
import { isEnding } from './clicks.ts';
import { EditOnTheWay } from './edits-on-the-way.ts';
import { editByHand } from './hand-edits.ts';
import { Illness } from './illness.ts';
import { judgeEnd } from './judge-end.ts';
import { endLanes, laneOf } from './lanes.ts';
import { observe } from './observation.ts';
import { People } from './people.ts';
import type { SimulationRig } from './rig.ts';
import { type Contender, Rivalry } from './rivalry.ts';
import { manifestText, type ReleaseScript, type Scenario } from './scenario.ts';
import { type ReleaseHandle, type Running, start, wayBack } from './start-release.ts';
import type { Tally } from './tally.ts';
import { VIEW_INVARIANTS } from './view-invariants.ts';
import type { Violation } from './violation.ts';
import { Watch } from './watch.ts';
import { isGoingBack } from './way-invariants.ts';
import { World } from './world/world.ts';

/** What became of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly views: readonly ReleaseView[];
  /** Changes of each thing outside, in order, by what was changed. */
  readonly effects: Readonly<Record<string, readonly string[]>>;
  /** What occurred in it. */
  readonly met: Tally;
}

/** A release that has not ended after so many looks, or so long on the wall, never will. */
const MOST_LOOKS = 600;
const WALL_MS = 300_000;

/** Waits that end with time: it is passed at once. Any other ends with somebody's word, and little time is passed. */
const TIMED = new Set(['canary-figures', 'hold', 'judge', 'bake', 'approval', 'restore', 'window', 'health']);
const LITTLE_MS = 500;
const MORE_MS = 10_000;

/** The longer nothing is seen to happen, the more: what is tried again is so every 10 s in the end. */
const IDLE_LOOKS = 40;
const littleTime = (idleLooks: number): number => Math.min(MORE_MS, LITTLE_MS * 1.1 ** idleLooks);

/** So long what was told to stop goes on. */
const HOLD_MS = 250;

/** What else runs before somebody does something ends in so long. */
const QUIET_WITHIN_MS = 10_000;

/** What else runs beside an activity in whose middle somebody clicks; less than that activity waits for its answer. */
const LAST_WITHIN_MS = 3_000;

/** Runs everything that a seed holds, one release after the other. */
export async function runSeed(rig: SimulationRig, scenario: Scenario): Promise<SeedResult> {
  const violations: Violation[] = [];
  const world = worldOf(scenario);
  if (scenario.forgetful) world.met.count('fault', 'worker that forgets');
  const views: ReleaseView[] = [];
  for (const script of scenario.releases) {
    views.push(...(await runRelease({ rig, scenario, script, world, violations })));
    if (violations.length > 0) break;
  }
  const last = scenario.releases.at(-1);
  if (last && scenario.goesBack && violations.length === 0) {
    views.push(...(await runRelease({ rig, scenario, script: wayBack(last), world, violations })));
  }
  await endLanes(rig, scenario.service);
  if (world.troubles.length > 0) throw new Error('the simulated world has failed', { cause: world.troubles[0] });
  const effects = Object.groupBy(world.effects, ({ system, subject }) => `${system} ${subject}`);
  return {
    seed: scenario.seed,
    violations,
    views,
    effects: Object.fromEntries(
      Object.entries(effects).map(([subject, made = []]) => [subject, made.map(({ change }) => change)]),
    ),
    met: world.met,
  };
}

/** @returns the release, and where another one met it, that as well */
async function runRelease(running: Running): Promise<readonly ReleaseView[]> {
  const { rig, scenario, script, world, violations } = running;
  const { service } = scenario;
  const { rival } = script;
  world.climate = { ...world.climate, figuresFor: script.figuresFor, figuresLate: script.figuresLate };
  let calendar: Calendar | undefined;
  const manifestOf = (commit: string) =>
    commit === rival?.script.version
      ? manifestText(scenario, rival.script, undefined)
      : manifestText(scenario, script, calendar);
  rig.enter(world, { ...script, manifestOf });
  if (script.handEdit && (await laneOf(rig, 'prod', service))) {
    await editByHand({ rig, world, service }, script.handEdit, violations);
  }
  world.weather = script.weather;
  const before = { prod: observe(world, 'prod', service), fat: observe(world, 'fat', service) };
  await rig.activityTime.idle(QUIET_WITHIN_MS);
  const imageBefore = (await laneOf(rig, 'prod', service))?.state.current?.bundle.image.digest;
  if (imageBefore !== undefined && script.imageGone > 0) {
    world.registry.lose(imageBefore, script.imageGone);
    world.met.count('fault', 'image that is gone');
  }
  calendar = await Calendar.of(script.closure, rig);
  const enter = async (own: ReleaseScript, whenBusy: WhenBusy, calendar?: Calendar): Promise<Contender> => {
    const handle = await start({ ...running, script: own }, whenBusy);
    const people = new People(handle, rig.client, () => rig.currentTime(), own, world.met);
    const time = { pass: (ms: number) => rig.passTime(ms), now: () => rig.currentTime() };
    const illness = new Illness(own.illness, world, before.prod, time);
    const edit = new EditOnTheWay(own.edit, { ...{ world, service, handle, violations, time }, before: before.prod });
    const watch = new Watch({
      ...{ world, handle, imageBefore, violations, activityTime: rig.activityTime, ledger: rig.ledger },
      before: before.prod,
      frozenSince: () => people.frozenSince,
      ...{ calendar, edit },
      illSince: () => (own.weather.share === 0 && own.weather.outages.length === 0 ? illness.since : undefined),
    });
    return { handle, people, watch, illness, edit };
  };
  const first = await enter(script, 'wait', calendar);
  const rivalry = rival && new Rivalry(rival, first, running, () => enter(rival.script, rival.whenBusy));
  (rivalry ?? first.watch).begin();
  const view = await drive(running, first, calendar, rivalry);
  if (imageBefore !== undefined) world.registry.lose(imageBefore, 0);
  const second = violations.length > 0 ? undefined : rivalry?.second;
  const other = rival && second && (await drive({ ...running, script: rival.script }, second));
  first.watch.end();
  first.illness.end(service);
  if (view.plan) world.met.count('strategy', script.strategy);
  if (calendar?.wasWaitedFor) world.met.count('window', calendar.told(view));
  // Calm again: what is left to be done must not fail for ever.
  world.weather = { share: 0, outages: [] };
  const left = rivalry?.handedOver;
  const { edit, illness } = first;
  if (violations.length === 0 && edit.isLeftBy(view)) await edit.settleInLane(rig, violations);
  const told = { illness: illness.story, edit: edit.story };
  await judgeEnd(
    running,
    view,
    { ...before, prod: edit.goesBackTo(before.prod) },
    { ...told, pair: other && { left } },
  );
  if (violations.length === 0 && edit.isBack) await edit.settleInLane(rig, violations);
  if (!rivalry || !other || !rival) return [view];
  await judgeEnd(
    { ...running, script: rival.script },
    other,
    { ...before, prod: left ?? observe(world, 'prod', service) },
    { illness: undefined, edit: undefined, pair: {} },
  );
  await rivalry.judgeEnd(view, other);
  return [view, other];
}

/**
 * The time-skipping server has lost a task of a workflow: what it answers from then on says nothing of Slipway. It does so
 * when an activity ends in the moment in which it is cancelled (sdk-java#2391). The seed is then run again on another one.
 */
export class ServerWedged extends Error {}

/** A worker that has the run answers in milliseconds, on a machine under load in seconds. */
const ANSWER_WITHIN_MS = 30_000;

async function asked({ client }: SimulationRig, handle: ReleaseHandle): Promise<ReleaseView> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => handle.query(releaseQuery));
  } catch (error) {
    await refuseWedged(handle);
    throw error;
  }
}

/** @throws ServerWedged when the last that the server knows of a run is a task that nobody gets */
async function refuseWedged(handle: ReleaseHandle): Promise<void> {
  const { events } = await handle.fetchHistory();
  const last = events?.at(-1);
  if (last?.workflowTaskStartedEventAttributes || last?.workflowTaskScheduledEventAttributes) {
    throw new ServerWedged(`${handle.workflowId} got no task`);
  }
}

/** Looks, lets people say their words and lets time pass, until the release has ended. */
async function drive(
  running: Running,
  { edit, handle, illness, people, watch }: Contender,
  calendar?: Calendar,
  rivalry?: Rivalry,
): Promise<ReleaseView> {
  const { rig, script, violations, world } = running;
  watch.onChange = async (nth) => {
    if (edit.isDueAt(nth)) await edit.makeBeside();
    if (nth === script.workerLostAt && rig.activityTime.lose(handle.workflowId))
      world.met.count('fault', 'worker lost');
    const due = people.dueAt(nth);
    if (due.some(isEnding)) {
      await rig.activityTime.lastOf(handle.workflowId, LAST_WITHIN_MS);
      // Nobody stops a way back: what it has running is not told.
      if (!isGoingBack(await handle.query(releaseQuery))) rig.activityTime.mayBeTold(handle.workflowId);
    }
    await people.atChange(nth);
    // Whoever does not wait for what goes forward has time now to go back beside it.
    if (due.some(isEnding)) await delay(HOLD_MS);
  };
  const deadline = Date.now() + WALL_MS;
  let idle = 0;
  for (let look = 1; ; look += 1) {
    const view = await asked(rig, handle);
    const { wait } = view;
    if (wait) world.met.count('wait', wait.reason);
    for (const [invariant, holds] of Object.entries(VIEW_INVARIANTS)) {
      const says = holds(view);
      if (says !== undefined) violations.push({ invariant, says, at: `look ${look} at ${view.version}` });
    }
    const wrong = calendar?.wrongWait(view, await rig.currentTime());
    if (wrong !== undefined) violations.push({ invariant: 'windows-are-waited-for', says: wrong, at: `look ${look}` });
    if (view.outcome !== undefined || violations.length > 0) break;
    if (look > MOST_LOOKS || Date.now() > deadline) {
      const doing = view.steps.find(({ outcome }) => outcome === 'running')?.id;
      violations.push({
        invariant: 'every-release-ends',
        says: `it is in ${doing} and waits for ${view.wait?.sentence ?? 'nothing'}`,
        at: `look ${look} at ${view.version}`,
      });
      break;
    }
    const stays = (await rivalry?.look(view)) ?? false;
    const trouble = illness.due(view) ?? edit.due(view);
    if (trouble) {
      await rig.activityTime.idle(QUIET_WITHIN_MS);
      await trouble();
      continue;
    }
    if (!stays && people.haveToSay(view)) {
      await rig.activityTime.idle(QUIET_WITHIN_MS);
      await people.say(view);
      continue;
    }
    const timed =
      !stays && wait !== undefined && (TIMED.has(wait.reason) || (wait.reason === 'retry' && !people.willEnd(wait)));
    idle = timed || stays ? 0 : idle + 1;
    if (idle > 0 && idle % IDLE_LOOKS === 0) await refuseWedged(handle);
    await rig.passTime(
      timed ? Math.max(1, Date.parse(wait.deadline) - (await rig.currentTime()) + 1) : littleTime(idle),
    );
  }
  await people.afterEnd();
  const view = await handle.query(releaseQuery);
  if (view.outcome === undefined) await handle.terminate('it broke an invariant');
  else if (violations.length === 0) return (await handle.result()).view;
  return view;
}

function worldOf(scenario: Scenario): World {
  const { chance, releases, service, requestsPerSecond } = scenario;
  const scripts = releases.flatMap((script) => (script.rival ? [script, script.rival.script] : [script]));
  const behaviour = (version: string) =>
    scripts.find((release) => release.version === version)?.behaviour ?? { errors: 0, sick: 0 };
  const world = new World(chance, { behaviour, requestsPerSecond, figuresFor: 0, figuresLate: 0 }, service);
  for (const environment of ['fat', 'prod']) {
    for (const version of [1, 2])
      world.consul.writeByHand(`cfg/${environment}/${service}/v/${version}`, `{"v":${version}}`);
  }
  return world;
}
