import type { WorkflowHandle } from '@temporalio/client';
import type { Ledger } from '../../activities/ledger/client.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { type ReleaseResult, releaseQuery } from '../../workflows/contract.ts';
import type { ActivityTime } from './activity-time.ts';
import type { Calendar } from './calendar.ts';
import type { EditOnTheWay } from './edits-on-the-way.ts';
import { stepsInLedger } from './ledger-story.ts';
import { type Moment, type Observation, observe } from './observation.ts';
import type { Violation } from './violation.ts';
import { isGoingBack, WAY_INVARIANTS } from './way-invariants.ts';
import type { Call, Effect } from './world/exchange.ts';
import type { World } from './world/world.ts';

/** Where a release under watch is looked at from. */
export interface WatchPost {
  readonly world: World;
  readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  /** What served when the release began. */
  readonly before: Observation;
  /** Digest of the image that served then; undefined where nothing did. */
  readonly imageBefore: string | undefined;
  readonly violations: Violation[];
  readonly activityTime: ActivityTime;
  readonly ledger: Ledger;
  /** Since when production is frozen, ms; undefined while it is not. */
  frozenSince(): number | undefined;
  /** When production takes no release; undefined where it always does. */
  readonly calendar: Calendar | undefined;
  /** What somebody changes by hand meanwhile. */
  readonly edit: EditOnTheWay;
  /** Since when instances of the new revision are ill where nothing keeps Slipway from seeing it, ms; undefined elsewhere. */
  illSince(): number | undefined;
}

/** Whether a call is about something in an environment. */
export const changes = ({ body, path }: Call, environment: string): boolean =>
  path.includes(`/${environment}/`) || body.includes(`"/${environment}/`);

/** Sees every change that a release makes in production: before it is answered, what the release is about; after it, what holds. */
export class Watch {
  /** Called before the n-th change in production is made. */
  onChange: (nth: number) => Promise<void> = async () => {};
  private readonly post: WatchPost;
  private moment: Omit<Moment, 'observation' | 'before'> | undefined;
  private changes = 0;

  constructor(post: WatchPost) {
    this.post = post;
  }

  /** From now on it sees all that changes. */
  begin(): void {
    this.post.world.onEffect = (effect) => this.saw(effect);
    this.post.world.beforeAnswer = async (_system, call) => {
      if (changes(call, 'prod')) await this.before(call);
    };
  }

  /** Sees no more, and nobody else does. */
  end(): void {
    this.post.world.onEffect = () => {};
    this.post.world.beforeAnswer = async () => {};
  }

  /** Before a change that the release makes in production is answered. */
  async before(call: Call): Promise<void> {
    const { activityTime, handle, violations } = this.post;
    this.changes += 1;
    await this.onChange(this.changes);
    const view = await handle.query(releaseQuery);
    this.moment = await this.momentOf(view);
    const [forward] = isGoingBack(view) ? activityTime.stillGoing(handle.workflowId) : [];
    if (forward === undefined) return;
    const invariant = 'no-way-back-beside-the-way-forward';
    violations.push({ invariant, says: `${forward} still runs`, at: call.path });
  }

  private async momentOf(view: ReleaseView): Promise<Omit<Moment, 'observation' | 'before'>> {
    const { handle, imageBefore, ledger, world } = this.post;
    return {
      view,
      ...{ heldUp: this.heldUp(view), adopted: this.post.edit.adopted },
      mayGoBack: imageBefore === undefined || !world.registry.isGone(imageBefore),
      written: await stepsInLedger(ledger, handle.workflowId),
    };
  }

  /** What was asked for before somebody held everything up may end. */
  private heldUp({ drift, paused }: ReleaseView): string | undefined {
    const { activityTime, calendar, edit, frozenSince, handle, illSince } = this.post;
    // Somebody has it put back what was changed by hand: that is nothing of the way forward.
    if (drift?.resolution !== undefined) return undefined;
    const asked = activityTime.askedSince(handle.workflowId);
    if (paused && asked > Date.parse(paused.at)) return `${paused.by} has paused it`;
    if (calendar?.isClosed(asked)) return 'the window of production is closed';
    const after = (since: number | undefined) => since !== undefined && asked > since;
    if (after(illSince())) return 'its instances are ill';
    if (after(edit.openSince)) return 'somebody has changed something by hand';
    return after(frozenSince()) ? 'production is frozen' : undefined;
  }

  /** After an effect of the release. */
  saw(effect: Effect): void {
    const { moment } = this;
    const { before, violations, world } = this.post;
    const at = `${effect.system} ${effect.subject} ${effect.change}`;
    if (/ twice/.test(effect.change) && !world.lateIn.has(effect.system)) {
      violations.push({ invariant: 'each-effect-once', says: at, at });
    }
    if (!moment || !/prod[/.:]/.test(effect.subject)) return;
    const { edit } = this.post;
    const overwritten = edit.overwrittenBy(effect, moment.view);
    if (overwritten !== undefined)
      violations.push({ invariant: 'nothing-by-hand-is-overwritten-in-silence', says: overwritten, at });
    const observation = edit.asMade(observe(world, 'prod', moment.view.service), moment.view);
    for (const [invariant, holds] of Object.entries(WAY_INVARIANTS)) {
      const says = holds({ ...moment, observation, before });
      if (says !== undefined) violations.push({ invariant, says, at });
    }
  }
}
