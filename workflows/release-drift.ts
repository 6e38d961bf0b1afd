import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { DriftActivities } from '../activities/drift/activities.ts';
import { canonicalJson } from '../domain/digest.ts';
import { type Difference, type Expected, toleranceOf } from '../domain/drift.ts';
import { type DriftVerb, refuseInRelease } from '../domain/drift-in-release.ts';
import { adopted, corrections } from '../domain/drift-resolution.ts';
import { named, sayAll } from '../domain/drift-sentences.ts';
import { FailureType } from '../domain/failures.ts';
import type { Sighting } from '../domain/health.ts';
import type { ReleaseFailure } from '../domain/release.ts';
import { WaitReason } from '../domain/wait.ts';
import type { CommandInput, OpenDrift } from './contract.ts';
import { DriftWatch, sightingOf } from './drift-watch.ts';
import { failureFrom } from './failure.ts';
import type { HandMadeChanges } from './gate.ts';
import { tellChat } from './notice.ts';
import { activities, change, LOOK } from './options.ts';
import { ReleaseHealth } from './release-health.ts';
import type { ReleaseRecord } from './release-record.ts';
import { correct } from './resolve-drift.ts';
import { directTraffic } from './revision-effects.ts';
import { adoptScale, expectedInStage, type Stage, sharesOf } from './stage.ts';
import { idleUntil, waitFor } from './wait.ts';

/** A shorter wait ends before a hand-made change could be shown. */
const SHORTEST_WATCHED_SECONDS = 30;
/** A release whose way nobody has cleared for so long goes back. */
const OPEN_SECONDS = 7 * 24 * 3600;

/** A person's word on what is open. */
interface Wanted extends CommandInput {
  readonly verb: DriftVerb;
}

/**
 * Hand-made changes where a release holds a lane: seen beside its long waits and right before what it does next, shown,
 * and adopted or reverted when a person says so. Until then nothing goes forward there. The same looks see in production
 * how the new revision does.
 */
export class ReleaseDrift implements HandMadeChanges {
  private readonly watch = new DriftWatch((seen) => this.saw(seen));
  private readonly id: string;
  private readonly record: ReleaseRecord;
  private readonly health: ReleaseHealth;
  /** Where it waited last, and has done nothing since. */
  private waited: Stage | undefined;
  /** That stage as it was left: a shift that stands at the gate has written its targets into it already. */
  private left: Stage | undefined;
  private open: OpenDrift | undefined;
  private wanted: Wanted | undefined;
  private clearing: Promise<void> | undefined;
  private said: string | undefined;

  /**
   * @param id workflow id of the release
   * @param goBack ends its way forward at once
   */
  constructor(id: string, record: ReleaseRecord, goBack: (failure: ReleaseFailure) => void) {
    this.id = id;
    this.record = record;
    this.health = new ReleaseHealth(record, goBack);
  }

  /** @throws ApplicationFailure `NoDrift` when nothing is open, `NotAdoptable` when a release can't do that about it */
  refuse(verb: DriftVerb): void {
    const { open, waited } = this;
    if (!open || !waited || this.wanted) {
      const why = this.wanted ? 'what was changed by hand is being resolved already' : 'nothing was changed by hand';
      throw ApplicationFailure.nonRetryable(why, FailureType.NoDrift);
    }
    const refusal = refuseInRelease(verb, open.found, waited.share === 100);
    if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
  }

  want(wanted: Wanted): void {
    this.wanted = wanted;
  }

  /** Waits, and watches meanwhile that nobody else changes anything; does what a person says about it. */
  async beside<T>(stage: Stage, seconds: number, wait: () => Promise<T>): Promise<T> {
    if (!stage.touched || seconds < SHORTEST_WATCHED_SECONDS) return wait();
    this.waited = stage;
    this.left = { ...stage };
    this.over();
    let ended = false;
    const tended = this.tend(() => ended);
    try {
      return await wait();
    } finally {
      ended = true;
      await tended;
    }
  }

  /** @throws ApplicationFailure `HeldTooLong`, `InstancesUnhealthy` */
  async clear(environment: string, effect: string): Promise<boolean> {
    const stage = this.waited;
    if (stage?.facts.name !== environment) return false;
    this.clearing ??= this.hold(effect).finally(() => {
      this.clearing = undefined;
    });
    await this.clearing;
    return true;
  }

  private async hold(effect: string): Promise<void> {
    if (!this.open) await this.look();
    while (this.open || this.health.isAiling) {
      this.over();
      if (this.open) await this.untilResolved(this.open, effect);
      else if (this.left) await this.health.untilWell(this.left, effect, () => this.open !== undefined);
    }
    this.leave();
  }

  private async untilResolved({ found }: OpenDrift, effect: string): Promise<void> {
    const wait = {
      reason: WaitReason.Drift,
      sentence: `${this.sentence}; held up: ${effect}`,
      endedBy: 'a person who adopts or reverts it, or puts it back by hand',
      seconds: OPEN_SECONDS,
      atDeadline: 'the release goes back',
    };
    if (!(await waitFor(this.record, wait, () => this.open?.found !== found || this.wanted !== undefined))) {
      throw ApplicationFailure.nonRetryable(`${this.sentence}; nobody has resolved it`, FailureType.HeldTooLong);
    }
    await this.resolve();
  }

  /** Watches nothing more: the release goes back, or leaves the environment. */
  end(): void {
    this.leave();
    this.settle();
  }

  private get sentence(): string {
    const { environment = '', service = '' } = this.waited?.spec ?? {};
    const what = this.open ? sayAll(named(this.open.found)).en : '';
    return `${service} in ${environment} was changed by hand: ${what}`;
  }

  private over(): void {
    const { left, open } = this;
    if (left) this.watch.over(expectedInStage(left), open?.found ?? [], this.health.watched(left));
  }

  private leave(): void {
    this.watch.stop();
    this.health.forget();
    this.waited = undefined;
    this.left = undefined;
  }

  /** Does what people say until the wait beside it is over. */
  private async tend(isOver: () => boolean): Promise<void> {
    try {
      for (;;) {
        const open = this.open;
        await idleUntil(() => isOver() || this.wanted !== undefined || this.open !== open);
        if (isOver()) return;
        await this.resolve();
        this.over();
      }
    } catch (error) {
      // The wait beside it is cancelled as well, and says so.
      if (!isCancellation(error)) throw error;
    }
  }

  private async look(): Promise<void> {
    const { left } = this;
    if (!left) return;
    const { facts, service } = left;
    try {
      const look = activities<DriftActivities>(LOOK, `Is ${service} in ${facts.name} as it was left`);
      const health = this.health.watched(left);
      const seen = sightingOf(await look.findDrift({ expected: expectedInStage(left), ...(health && { health }) }));
      if (!this.health.saw(left, seen) && seen.differences.length > 0) this.found(seen.differences);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      log.warn('it could not be looked for hand-made changes', { environment: facts.name, error });
    }
  }

  private async resolve(): Promise<void> {
    const { left, open, waited: stage, wanted } = this;
    if (!left || !open || !stage || !wanted) return;
    const { by, reason, verb } = wanted;
    this.watch.stop();
    const done = verb === 'adopt' ? 'adopted' : 'reverted';
    this.said = `${by} has it ${done}: ${reason}`;
    this.show();
    try {
      if (verb === 'adopt') await adoptInStage(stage, left, open.found);
      else await revertInStage(expectedInStage(left), open.found);
      this.record.driftResolved(stage.facts.name, named(open.found), done, by, reason);
      this.settle();
    } catch (error) {
      const failure =
        isCancellation(error) || CancellationScope.current().consideredCancelled ? undefined : failureFrom(error);
      if (!failure) throw error;
      log.error('a hand-made change could not be resolved', { environment: stage.facts.name, verb, failure });
      this.said = `${by} wanted it ${done}, and that failed: ${failure.message}`;
      this.wanted = undefined;
      this.show();
    }
  }

  private saw(seen: Sighting): void {
    const { left, open } = this;
    if (!left || this.health.saw(left, seen)) return;
    if (canonicalJson(seen.differences) !== canonicalJson(open?.found ?? [])) this.found(seen.differences);
    this.over();
  }

  private found(found: readonly Difference[]): void {
    if (found.length === 0 || !this.waited) {
      this.settle();
      return;
    }
    const at = new Date().toISOString();
    const environment = this.waited.facts.name;
    this.open = { since: this.open?.since ?? at, found };
    this.record.driftSeen(environment, named(found));
    this.show();
    const { en, zh } = sayAll(named(found));
    const where = `${environment}/${this.waited.service}`;
    void tellChat({
      kind: 'drift',
      release: this.id,
      text: {
        en: `${this.waited.service} in ${environment} was changed by hand: ${en}. Say: adopt ${where} <why>, or revert ${where} <why>`,
        zh: `${environment} 的 ${this.waited.service} 被手工修改：${zh}。请回复：采纳 ${where} <原因>，或 还原 ${where} <原因>`,
      },
    });
  }

  private settle(): void {
    this.open = undefined;
    this.wanted = undefined;
    this.said = undefined;
    this.show();
  }

  private show(): void {
    const { open, said, waited } = this;
    this.record.drifts(
      open && waited
        ? {
            since: open.since,
            environment: waited.facts.name,
            differences: named(open.found),
            ...(said === undefined ? {} : { resolution: said }),
          }
        : undefined,
    );
  }
}

/** From now on what was found is how it shall be, until the next shift; what the release goes back to, for good. */
async function adoptInStage(stage: Stage, left: Stage, found: readonly Difference[]): Promise<void> {
  for (const difference of found) {
    if (difference.kind === 'scaled') adoptScale(stage, left, difference.revision, difference.found);
    else stage.before = adopted(stage.before, [difference], {});
  }
  const tolerated = [...new Set([...(stage.before.tolerated ?? []), ...found.flatMap(toleranceOf)])];
  stage.before = { ...stage.before, tolerated };
  left.before = stage.before;
  // Weights are those of single instances: with more of them a revision's share would be larger.
  const parts = sharesOf(left).filter(({ share }) => share > 0);
  if (parts.length > 1 && found.some(({ kind }) => kind === 'scaled')) await directTraffic(change, left.spec, parts);
}

async function revertInStage(expected: Expected, found: readonly Difference[]): Promise<void> {
  for (const correction of corrections(expected, found)) {
    if (correction.kind !== 'replace') await correct(expected, correction);
  }
}
