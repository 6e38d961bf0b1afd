import { ActivityFailure, log, setCurrentDetails } from '@temporalio/workflow';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import { decideInstances } from '../domain/autoscale/stabilise.ts';
import { revisionAppId } from '../domain/environment.ts';
import type { LaneState } from '../domain/lane.ts';
import type { LaneCarried, ScaleSignal, ScaleWish } from './contract.ts';
import { activities, change as changing } from './options.ts';

/** What autoscaling asks of an idle lane, and what became of it. */
export class LaneScaling {
  private wishes: readonly ScaleWish[];
  private newWish = false;
  /** What the last wish rests on. */
  private load = '';
  private last: string | undefined;
  private notReached: boolean;

  constructor(carried: Pick<LaneCarried, 'wishes' | 'unreached'> | undefined) {
    this.wishes = carried?.wishes ?? [];
    this.notReached = carried?.unreached ?? false;
  }

  get carried(): Required<Pick<LaneCarried, 'wishes' | 'unreached'>> {
    return { wishes: this.wishes, unreached: this.notReached };
  }

  /** A wish has come that was not looked at yet. */
  get isAsked(): boolean {
    return this.newWish;
  }

  /** The last scaling has not come to its end: the same target is to be driven on. */
  get unreached(): boolean {
    return this.notReached;
  }

  /** What the last scaling did, in one sentence. */
  get said(): string | undefined {
    return this.last;
  }

  wish({ because, wish }: ScaleSignal): void {
    this.wishes = [...this.wishes, wish];
    this.load = because;
    this.newWish = true;
  }

  /** Wishes that were made for another number of instances count no more. */
  forget(): void {
    this.wishes = [];
    this.newWish = false;
  }

  /** The number of instances is settled, by whoever left the lane. */
  reached(): void {
    this.notReached = false;
  }

  /**
   * Does what the load asks for, within the bounds. A scaling that fails half way is driven on by the next wish.
   *
   * @param remember called with the new target before it is reached
   */
  async apply(state: LaneState, remember: (state: LaneState) => void): Promise<void> {
    this.newWish = false;
    const { bounds, current, environment, service } = state;
    if (!current || !bounds) return;
    const decision = decideInstances({
      wishes: this.wishes,
      current: current.instances,
      bounds,
      now: new Date().toISOString(),
    });
    this.wishes = [...decision.wishes];
    const { instances, because } = decision;
    if (instances === current.instances && !this.notReached) return;
    remember({ ...state, current: { ...current, instances } });
    this.notReached = true;
    const target = instances === current.instances ? `on to ${instances}` : `from ${current.instances} to ${instances}`;
    const change = `Scale ${current.revision} ${target}: ${because} (${this.load})`;
    setCurrentDetails(change);
    log.info('scaling', { service, environment, from: current.instances, to: instances, because });
    try {
      await activities<MarathonActivities>(changing(current.spec.startSeconds), change).scaleRevision({
        environment,
        appId: revisionAppId(environment, service, current.revision),
        instances,
        waitHealthy: true,
        deadlineSeconds: current.spec.startSeconds,
      });
      this.last = change;
      this.notReached = false;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      this.last = `${change}; it did not come to that: ${error.cause?.message ?? error.message}`;
      log.warn('scaling failed', { service, environment, error });
    }
  }
}
