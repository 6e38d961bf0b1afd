import type { WorkflowHandle } from '@temporalio/client';
import type { ReleaseView } from '../../domain/release.ts';
import type { TrafficDocument } from '../../domain/traffic.ts';
import {
  adoptUpdate,
  type ReleaseResult,
  releaseQuery,
  revertUpdate,
  rollbackUpdate,
} from '../../workflows/contract.ts';
import { CALM } from './faults.ts';
import { resolveInLane } from './hand-edits.ts';
import { isBaseline, type Observation } from './observation.ts';
import type { SimulationRig } from './rig.ts';
import type { Edited, EditScript } from './script.ts';
import type { Violation } from './violation.ts';
import { isGoingBack } from './way-invariants.ts';
import type { Effect } from './world/exchange.ts';
import type { World } from './world/world.ts';

/** What became of it. */
export interface EditStory {
  readonly what: Edited;
  readonly answer: EditScript['answer'];
  /** The server's time, ms since 1970. */
  readonly madeAt: number;
  /** The release has named it. */
  readonly named: boolean;
  /** Adopted, put back, or gone back from. */
  readonly settled: boolean;
}

/** A look every 8 s and one more to be sure of it: so long after a change it is named. */
const NAMED_WITHIN_MS = 30_000;
const LOOK_MS = 2_000;
/** By then whatever is waited for is over. */
const HELD_UP_WITHIN_MS = 200_000;
const SETTLED_WITHIN_MS = 30 * 60_000;

/** What an edit needs of the run that it is part of. */
interface EditedRelease {
  readonly world: World;
  readonly service: string;
  readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  readonly before: Observation;
  readonly violations: Violation[];
  /** How time passes, and which it is. */
  readonly time: { readonly pass: (ms: number) => Promise<void>; readonly now: () => Promise<number> };
}

/** Somebody changes production by hand in the middle of a release, it names that, and somebody says what is to become of it. */
export class EditOnTheWay {
  private readonly script: EditScript | undefined;
  private readonly release: EditedRelease;
  private told: EditStory | undefined;
  private made = false;
  private undo: () => void = () => {};
  /** What was changed, as effects name it. */
  private subject = '';
  private was: string | undefined;

  constructor(script: EditScript | undefined, release: EditedRelease) {
    this.script = script;
    this.release = release;
  }

  get story(): EditStory | undefined {
    return this.told;
  }

  /** Since when something stands there that nobody has said anything about, ms; undefined where nothing does. */
  get openSince(): number | undefined {
    return this.script?.at !== 'shift' && this.told?.settled === false ? this.told.madeAt : undefined;
  }

  /** So many instances that somebody has added were taken over. */
  get adopted(): number {
    const { answer, settled, what } = this.told ?? {};
    return settled && answer === 'adopt' && what?.endsWith('instances') ? 1 : 0;
  }

  /** What is to be done by hand, or said about it, when a release stands like this; undefined for nothing. */
  due(view: ReleaseView): (() => Promise<void>) | undefined {
    if (this.waits(view)) return () => this.settle();
    return this.isDue(view) ? () => this.make() : undefined;
  }

  private isDue(view: ReleaseView): boolean {
    const running = view.steps.find(({ outcome }) => outcome === 'running');
    const step = view.plan?.steps.find(({ id }) => id === running?.id);
    const watched =
      step && step.kind !== 'shift' && 'environment' in step && step.environment === 'prod' && view.wait !== undefined;
    return (
      this.told === undefined && watched === true && step.kind === this.script?.at && this.apps().fresh !== undefined
    );
  }

  /** Whether it is time for it before the n-th change in production. Where nothing served, nothing is known of what is there. */
  isDueAt(nth: number): boolean {
    const { made, script } = this;
    const { fresh, old } = this.apps();
    return !made && script?.at === 'shift' && nth >= script.change && fresh !== undefined && old !== undefined;
  }

  /** Makes the change while a shift makes its own. */
  async makeBeside(): Promise<void> {
    const { script } = this;
    if (!script) return;
    this.made = true;
    const what = this.change(script.what);
    this.release.world.met.count('edit', `${what} in a shift`);
    this.told = { what, answer: script.answer, madeAt: await this.release.time.now(), named: false, settled: false };
  }

  /** Whether a change in a shift has been named, and waits for somebody. */
  private waits(view: ReleaseView): boolean {
    return (
      this.script?.at === 'shift' && view.drift !== undefined && this.told?.settled === false && !isGoingBack(view)
    );
  }

  /** Somebody has it put back. */
  private async settle(): Promise<void> {
    if (!this.told) return;
    this.told = { ...this.told, named: true, settled: true };
    await this.answer('revert');
    await this.waited((seen) => seen.drift === undefined || seen.outcome !== undefined, SETTLED_WITHIN_MS);
  }

  /** What an effect of a release that stands like this has overwritten, and nobody was told; undefined for nothing. */
  overwrittenBy({ change, subject, system }: Effect, view: ReleaseView): string | undefined {
    const { told } = this;
    if (!told || told.settled || told.named || view.drift !== undefined || isGoingBack(view)) return undefined;
    const isIt = subject === this.subject && (system === 'consul' || change !== 'delete');
    return isIt ? `${told.what} were changed by hand, and now they are ${change}` : undefined;
  }

  /** What is there, with the traffic as a release that stands like this has made it. */
  asMade(observation: Observation, view: ReleaseView): Observation {
    const { told, was } = this;
    if (told?.what !== 'traffic' || told.settled || was === undefined || isGoingBack(view)) return observation;
    return { ...observation, shares: (JSON.parse(was) as TrafficDocument).shares };
  }

  /** Makes the change, and returns when somebody has said what is to become of it. */
  private async make(): Promise<void> {
    const { script } = this;
    if (!script) return;
    const { world, violations } = this.release;
    const { answer, late } = script;
    this.made = true;
    const what = this.change(script.what);
    world.met.count('edit', what);
    world.met.count('edit', answer);
    this.told = { what, answer, madeAt: await this.release.time.now(), named: false, settled: false };
    const { weather } = world;
    world.weather = CALM;
    const named = await this.waited((view) => view.drift !== undefined, NAMED_WITHIN_MS);
    world.weather = weather;
    const at = `${what} changed by hand in ${script.at}`;
    if (!named) {
      violations.push({
        invariant: 'hand-edits-on-the-way-are-named',
        says: 'the release has not named it in 30 s',
        at,
      });
      return;
    }
    this.told = { ...this.told, named: true };
    const holdsUp = (view: ReleaseView) => view.wait?.reason === 'drift' || view.outcome !== undefined;
    if (late && (await this.waited(holdsUp, HELD_UP_WITHIN_MS))) world.met.count('edit', 'late');
    const view = await this.release.handle.query(releaseQuery);
    if (view.outcome !== undefined || isGoingBack(view)) return;
    this.told = { ...this.told, settled: true };
    await this.answer(answer);
    if (answer === 'roll back') return;
    if (await this.waited((seen) => seen.drift === undefined, SETTLED_WITHIN_MS)) return;
    violations.push({ invariant: 'hand-edits-on-the-way-are-settled', says: `nothing came of ${answer}`, at });
  }

  /** Whether a release that has ended so leaves it to the lane. */
  isLeftBy({ outcome }: ReleaseView): boolean {
    return this.told?.settled === false && outcome === 'released';
  }

  /** Whether a way back has brought back what was edited: an app is never edited by Slipway, also not back. */
  get isBack(): boolean {
    return this.told?.what === 'old app' && this.told.answer === 'roll back';
  }

  /** The lane names it, and does what somebody says. */
  async settleInLane(rig: SimulationRig, violations: Violation[]): Promise<void> {
    const { told, release } = this;
    if (!told) return;
    await resolveInLane({ rig, service: release.service }, 'revert', `${told.what} left to the lane`, violations);
    this.told = { ...told, settled: true };
  }

  /** What a way back leads to from now on. */
  goesBackTo(before: Observation): Observation {
    const { told } = this;
    if (told?.answer !== 'adopt' || !told.settled) return before;
    switch (told.what) {
      case 'old instances':
        return { ...before, apps: before.apps.map((app) => ({ ...app, wanted: app.wanted + 1, live: app.live + 1 })) };
      case 'config':
        return { ...before, config: OTHER[before.config ?? ''] };
      case 'bounds':
        return { ...before, bounds: BY_HAND };
      default:
        return before;
    }
  }

  private async answer(answer: EditScript['answer']): Promise<void> {
    const { handle } = this.release;
    const args: [{ by: string; reason: string }] = [{ by: 'bob', reason: 'it was me' }];
    if (answer === 'undo') this.undo();
    else if (answer === 'roll back') await handle.executeUpdate(rollbackUpdate, { args });
    else await handle.executeUpdate(answer === 'adopt' ? adoptUpdate : revertUpdate, { args });
  }

  private async waited(what: (view: ReleaseView) => boolean, withinMs: number): Promise<boolean> {
    for (let passed = 0; passed <= withinMs; passed += LOOK_MS) {
      await this.release.time.pass(LOOK_MS);
      if (what(await this.release.handle.query(releaseQuery))) return true;
    }
    return false;
  }

  private apps(): { readonly fresh: string | undefined; readonly old: string | undefined } {
    const { before, service, world } = this.release;
    const known = new Set(before.apps.map(({ revision }) => revision));
    const apps = world.apps('prod', service).map(({ id }) => id);
    const revision = (id: string) => id.split('/')[3] ?? '';
    return {
      fresh: apps.find((id) => !known.has(revision(id)) && !isBaseline(revision(id))),
      old: apps.find((id) => known.has(revision(id))),
    };
  }

  /** @returns what was changed: where there is no such thing to change, the new instances are */
  private change(what: Edited): Edited {
    const { fresh = '', old } = this.apps();
    switch (what) {
      case 'old instances':
        if (old === undefined) break;
        this.scale(old);
        return what;
      case 'old app':
        if (old === undefined) break;
        this.undo = this.release.world.marathon.editByHand(old);
        return what;
      case 'new app':
        this.undo = this.release.world.marathon.editByHand(fresh);
        return what;
      case 'config':
        if (this.rewrite(`cfg/prod/${this.release.service}/current`, (found) => this.otherVersion(found))) return what;
        break;
      case 'bounds':
        this.rewrite(`slipway/scale/prod/${this.release.service}`, () => JSON.stringify(BY_HAND));
        return what;
      case 'traffic':
        if (this.rewrite(`slipway/traffic/prod/${this.release.service}`, moved)) return what;
        break;
      case 'new instances':
    }
    if (this.script?.at === 'shift') return this.change('bounds');
    this.scale(fresh);
    return 'new instances';
  }

  /** One that may be taken over; while a shift points to another one itself: none that it could mean. */
  private otherVersion(found: string): string | undefined {
    const other = OTHER[found];
    return other !== undefined && this.script?.at === 'shift' ? '7' : other;
  }

  private scale(app: string): void {
    const { marathon } = this.release.world;
    const instances = marathon.apps.get(app)?.instances ?? 0;
    this.subject = app;
    marathon.scaleByHand(app, instances + 1);
    this.undo = () => marathon.scaleByHand(app, instances);
  }

  private rewrite(key: string, by: (found: string) => string | undefined): boolean {
    const { consul } = this.release.world;
    const found = consul.value(key);
    const changed = by(found ?? '');
    if (changed === undefined) return false;
    this.subject = key;
    this.was = found;
    consul.writeByHand(key, changed);
    this.undo = () => (found === undefined ? consul.deleteByHand(key) : consul.writeByHand(key, found));
    return true;
  }
}

/** The config version that is not current. Where none is, which one is so is not Slipway's to say. */
const OTHER: Readonly<Record<string, string>> = { '1': '2', '2': '1' };

const BY_HAND = { min: 1, max: 99, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };

/** A point of traffic from one revision to another; undefined where there is none to move. */
function moved(text: string): string | undefined {
  if (text === '') return undefined;
  const document = JSON.parse(text) as TrafficDocument;
  const [from, to] = Object.keys(document.shares).filter((revision) => (document.shares[revision] ?? 0) > 1);
  if (from === undefined) return undefined;
  // What one has alone goes to one that is not there.
  if (to === undefined) return JSON.stringify({ ...document, shares: { ...document.shares, [from]: 99, r0: 1 } });
  const { [from]: less = 0, [to]: more = 0 } = document.shares;
  return JSON.stringify({ ...document, shares: { ...document.shares, [from]: less - 1, [to]: more + 1 } });
}
