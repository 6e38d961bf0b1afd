import { ApplicationFailure } from '@temporalio/workflow';
import { FailureType } from '../domain/failures.ts';
import {
  ailingSentence,
  FINE,
  type Health,
  healthRuleOf,
  illnessSentence,
  type Sighting,
  type WatchedHealth,
} from '../domain/health.ts';
import type { ReleaseFailure } from '../domain/release.ts';
import { WaitReason } from '../domain/wait.ts';
import type { Stage } from './stage.ts';
import { type WaitBoard, waitFor } from './wait.ts';

/** Besides its grace: a revision that ails is well or ill by then, unless Marathon is away. */
const UNKNOWN_SECONDS = 300;

/** How the new revision does where a release holds a lane of production. One that is ill sends the release back. */
export class ReleaseHealth {
  private health: Health = FINE;
  private readonly board: WaitBoard;
  private readonly goBack: (failure: ReleaseFailure) => void;

  /** @param goBack ends the way forward at once */
  constructor(board: WaitBoard, goBack: (failure: ReleaseFailure) => void) {
    this.board = board;
    this.goBack = goBack;
  }

  /** True while too few instances are healthy, and may be. */
  get isAiling(): boolean {
    return this.health.state === 'ailing';
  }

  /** What a look at the stage is to ask; undefined elsewhere than in production, and before anything was started. */
  watched({ facts, instances, spec }: Stage): WatchedHealth | undefined {
    return facts.tier === 'production' && instances > 0 ? { rule: healthRuleOf(spec), health: this.health } : undefined;
  }

  /** @returns true when the release goes back for it */
  saw({ facts, spec }: Stage, { health, why }: Sighting): boolean {
    this.health = health;
    if (health.state !== 'ill') return false;
    const message = illnessSentence(facts.name, healthRuleOf(spec), health, why);
    this.goBack({ type: FailureType.InstancesUnhealthy, message });
    return true;
  }

  /** What was seen says nothing of what comes. */
  forget(): void {
    this.health = FINE;
  }

  /**
   * Holds up an effect while too few instances are healthy.
   *
   * @param ended what else ends the wait
   * @throws ApplicationFailure `InstancesUnhealthy` when it never turns out how they are
   * @throws CancelledFailure when they are ill
   */
  async untilWell({ facts, spec }: Stage, effect: string, ended: () => boolean): Promise<void> {
    const { health } = this;
    if (health.state !== 'ailing') return;
    const rule = healthRuleOf(spec);
    const sentence = ailingSentence(facts.name, rule, health);
    const wait = {
      reason: WaitReason.Health,
      sentence: `${sentence}; held up: ${effect}`,
      endedBy: 'instances that are healthy again',
      seconds: rule.graceSeconds + UNKNOWN_SECONDS,
      atDeadline: 'the release goes back',
    };
    if (await waitFor(this.board, wait, () => !this.isAiling || ended())) return;
    throw ApplicationFailure.nonRetryable(sentence, FailureType.InstancesUnhealthy);
  }
}
