import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  getExternalWorkflowHandle,
  log,
} from '@temporalio/workflow';
import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import type { FreezeActivities } from '../activities/temporal/freezes.ts';
import { FailureType } from '../domain/failures.ts';
import { type Freeze, type FreezeList, freezeFor, freezeSentence } from '../domain/freeze.ts';
import type { CommandRecord } from '../domain/release.ts';
import { WaitReason } from '../domain/wait.ts';
import { type CalendarWindow, openingOf } from '../domain/window.ts';
import { FREEZES_WORKFLOW_ID, type FreezeWatcher, unwatchFreezesSignal } from './contract.ts';
import { activities, READ } from './options.ts';
import { type WaitBoard, type WaitFor, waitFor } from './wait.ts';

/** What every forward effect passes right before it; nobody on a way back asks it. */
export interface Gate {
  /**
   * Returns when the effect may begin.
   *
   * @param environment where it changes something; undefined for what is in none, such as a build
   * @param effect what is about to begin, as the Temporal UI shows it
   */
  pass(environment: string | undefined, effect: string): Promise<void>;
}

/** What was changed by hand where a release holds a lane. */
export interface HandMadeChanges {
  /**
   * Returns when nothing of it stands in the way of an effect there.
   *
   * @returns true when that took a while: other things may stand in the way by now
   */
  clear(environment: string, effect: string): Promise<boolean>;
}

/** Lets everything through: for ways back. */
export const OPEN_GATE: Gate = { pass: async () => {} };

const DAY_SECONDS = 24 * 3600;
/** A release that somebody paused and nobody resumed goes back. */
const PAUSED_SECONDS = DAY_SECONDS;
/** The same of one that is frozen, or whose windows never open. */
const HELD_SECONDS = 7 * DAY_SECONDS;

/** So long the freezes may take to answer. */
const ANSWER_SECONDS = 60;

/** What a gate must know of the plan. */
export interface GateRules {
  /** Of the service's manifest; environments have windows of their own. */
  readonly windows: readonly CalendarWindow[];
  readonly environments: readonly EnvironmentFacts[];
}

/**
 * Something that holds up a forward effect. A person's word is one: it ends, and another may take its place, at any
 * time.
 */
interface Obstacle {
  readonly wait: Omit<WaitFor, 'atDeadline'>;
  /** True when it is over at the deadline; false when the release may not wait for it any longer. */
  readonly overByItself: boolean;
}

/**
 * The one gate of a release. It is asked right before each forward effect, and answers by what is known then: a pause or
 * a freeze that was taken before is never overtaken by an effect.
 */
export class ReleaseGate implements Gate {
  /** The word that paused the release. */
  paused: CommandRecord | undefined;
  private rules: GateRules = { windows: [], environments: [] };
  private frozen: FreezeList | undefined;
  private watching: Promise<void> | undefined;
  private readonly watcher: FreezeWatcher;
  private readonly requestedBy: string;
  private readonly board: WaitBoard;

  private readonly drift: HandMadeChanges;

  constructor(watcher: FreezeWatcher, requestedBy: string, board: WaitBoard, drift: HandMadeChanges) {
    this.drift = drift;
    this.watcher = watcher;
    this.requestedBy = requestedBy;
    this.board = board;
  }

  /** True once the freezes were asked, and so must be told when the release has ended. */
  get watches(): boolean {
    return this.watching !== undefined;
  }

  /** From now on the gate holds to these. */
  rule(rules: GateRules): void {
    this.rules = rules;
  }

  /** Takes a list of freezes, unless it is older than the one that is known. */
  take(list: FreezeList): void {
    if (this.frozen === undefined || list.number > this.frozen.number) this.frozen = list;
  }

  /**
   * @throws ApplicationFailure `NotPermitted`; `HeldTooLong` when it was held up for longer than it may be
   * @throws CancelledFailure when the surrounding scope is cancelled
   */
  async pass(environment: string | undefined, effect: string): Promise<void> {
    this.refuseRequester(environment);
    this.watching ??= this.watch();
    await this.watching;
    for (;;) {
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(`stopped before: ${effect}`);
      const obstacle = this.wordOf(environment) ?? this.windowOf(environment);
      if (obstacle !== undefined) await this.held(obstacle, environment, effect);
      else if (environment === undefined || !(await this.drift.clear(environment, effect))) return;
    }
  }

  /** Waits until another thing holds the effect up, or nothing. */
  private async held({ overByItself, wait }: Obstacle, environment: string | undefined, effect: string): Promise<void> {
    const { reason, sentence } = wait;
    const over = await waitFor(
      this.board,
      {
        ...wait,
        sentence: `${sentence}; held up: ${effect}`,
        atDeadline: overByItself ? 'the release goes on' : 'the release goes back',
      },
      () => {
        const word = this.wordOf(environment)?.wait;
        return reason === WaitReason.Window ? word !== undefined : word?.sentence !== sentence;
      },
    );
    if (over || overByItself) return;
    throw ApplicationFailure.nonRetryable(
      `${sentence}; that was waited for ${wait.seconds / DAY_SECONDS} days`,
      FailureType.HeldTooLong,
    );
  }

  /** The word of a person that holds up effects there now. */
  private wordOf(environment: string | undefined): Obstacle | undefined {
    if (this.paused) {
      const { by, reason } = this.paused;
      const wait = {
        reason: WaitReason.Paused,
        sentence: `paused by ${by}: ${reason}`,
        endedBy: 'a person who resumes the release',
        seconds: PAUSED_SECONDS,
      };
      return { wait, overByItself: false };
    }
    const { service } = this.watcher;
    const freeze = freezeFor(this.frozen?.freezes ?? [], { environment, service }, new Date().toISOString());
    return freeze && frozenBy(freeze);
  }

  /** The window that is closed now: of the service there, or of everyone there. */
  private windowOf(environment: string | undefined): Obstacle | undefined {
    if (environment === undefined) return undefined;
    const now = new Date().toISOString();
    const { environments, windows } = this.rules;
    const everyones = environments.find(({ name }) => name === environment)?.windows ?? [];
    for (const each of [windows, everyones.map((times) => ({ ...times, environments: [environment] }))]) {
      const opening = openingOf(each, environment, now);
      if (!opening.open) return closedUntil(environment, opening.opensAt);
    }
    return undefined;
  }

  private refuseRequester(environment: string | undefined): void {
    const releasers = this.rules.environments.find(({ name }) => name === environment)?.releasers;
    if (releasers === undefined || releasers.members.includes(this.requestedBy)) return;
    throw ApplicationFailure.nonRetryable(
      `${this.requestedBy} is not in ${releasers.name}, who alone may release to ${environment}`,
      FailureType.NotPermitted,
    );
  }

  /** Asks what is frozen until it is told. */
  private async watch(): Promise<void> {
    while (this.frozen === undefined) {
      await activities<FreezeActivities>(READ, 'Ask what is frozen').watchFreezes(this.watcher);
      const wait = {
        reason: WaitReason.Freezes,
        sentence: 'waiting to be told what is frozen',
        endedBy: `the workflow ${FREEZES_WORKFLOW_ID}`,
        seconds: ANSWER_SECONDS,
        atDeadline: 'it is asked again',
      };
      await waitFor(this.board, wait, () => this.frozen !== undefined);
    }
  }
}

/** Nobody needs to tell this release of freezes any more. */
export async function leaveFreezes(holder: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(FREEZES_WORKFLOW_ID).signal(unwatchFreezesSignal, holder);
  } catch (error) {
    // Somebody terminated it. The next release starts a new one, which knows of no watchers.
    log.error('the freezes are gone', { holder, error });
  }
}

function frozenBy(freeze: Freeze): Obstacle {
  const { id, until } = freeze;
  const seconds = until === undefined ? HELD_SECONDS : Math.min(HELD_SECONDS, secondsUntil(until));
  return {
    wait: {
      reason: WaitReason.Freeze,
      sentence: freezeSentence(freeze),
      endedBy: `a person who lifts the freeze ${id}${until === undefined ? '' : `, or its end at ${until}`}`,
      seconds,
    },
    overByItself: seconds < HELD_SECONDS,
  };
}

function closedUntil(environment: string, opensAt: string | undefined): Obstacle {
  const wait = {
    reason: WaitReason.Window,
    sentence: `${environment} takes no releases now: ${opensAt ? `its next window opens at ${opensAt}` : 'no window opens'}`,
    endedBy: 'time',
    seconds: opensAt ? secondsUntil(opensAt) : HELD_SECONDS,
  };
  return { wait, overByItself: opensAt !== undefined };
}

function secondsUntil(at: string): number {
  return Math.max(0.05, (Date.parse(at) - Date.now()) / 1000);
}
