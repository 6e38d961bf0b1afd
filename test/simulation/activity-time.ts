import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { nameCallers } from './callers.ts';

/** The clock of one running activity: by how much it is ahead of the wall's, ms. */
interface ActivityClock {
  ahead: number;
  /** Of the workflow that asked for it. */
  readonly workflowId: string | undefined;
}

const clocks = new AsyncLocalStorage<ActivityClock>();
const wall = performance.now.bind(performance);

nameCallers(() => clocks.getStore()?.workflowId);

/** Told to chat, or run beside everything for long: nothing of a release's way waits for these. */
const BESIDE = new Set(['notify', 'runBuilder']);
const LOOK_MS = 10;
const LOOKS = 3;
/** With the next heartbeat a worker learns that an activity is to stop. */
const TOLD_WITHIN_MS = 10_000;

/**
 * Makes time pass for activities as it does for workflows on the time-skipping server: an activity that sleeps between
 * two looks goes on at once, and its own clock is ahead by the time it slept. So a deadline of two minutes is reached
 * after as many looks as in two minutes, whatever the machine does meanwhile. Only `performance.now`, by which
 * activities keep their deadlines, and `Context.sleep` are changed, and nothing outside of activities.
 */
export class ActivityTime {
  private readonly running = new Set<Context>();
  private readonly lost = new WeakSet<Context>();
  private readonly told = new WeakSet<Context>();

  constructor() {
    performance.now = () => wall() + (clocks.getStore()?.ahead ?? 0);
  }

  readonly interceptors: ActivityInterceptorsFactory = (context) => ({
    inbound: {
      execute: async (input, next) => {
        // As far as the server's time is by now: what is kept from one activity to the next gets old with it.
        const { currentAttemptScheduledTimestampMs: scheduled, workflowExecution } = context.info;
        const clock: ActivityClock = { ahead: scheduled - wall(), workflowId: workflowExecution?.workflowId };
        Reflect.set(context, 'sleep', (ms: number) => sleep(context, clock, ms));
        this.running.add(context);
        try {
          const result = await clocks.run(clock, () => next(input));
          if (this.lost.has(context)) throw ApplicationFailure.retryable('its worker was lost', 'WorkerLost');
          return result;
        } catch (error) {
          throw this.told.has(context) ? await cancelledInstead(context, error) : error;
        } finally {
          this.running.delete(context);
        }
      },
    },
  });

  /**
   * The worker of what a workflow has running is lost: what was done is done, but nobody tells, and it is tried again. To
   * end a worker in earnest leaves the time-skipping server with a queue that it goes on asking.
   *
   * @returns whether anything ran
   */
  lose(workflowId: string): boolean {
    const running = this.of(workflowId);
    for (const context of running) this.lost.add(context);
    return running.length > 0;
  }

  /** What a workflow has running may be told to stop now; see `cancelledInstead`. */
  mayBeTold(workflowId: string): void {
    for (const context of this.of(workflowId)) this.told.add(context);
  }

  /** Of what could be told to stop: what still runs. */
  stillGoing(workflowId: string): readonly string[] {
    return this.of(workflowId)
      .filter((context) => this.told.has(context))
      .map(({ info }) => info.activityType);
  }

  /** When the first of what a workflow has running was asked for, ms since 1970; Infinity where nothing runs. */
  askedSince(workflowId: string): number {
    return Math.min(...this.of(workflowId).map(({ info }) => info.scheduledTimestampMs));
  }

  get isIdle(): boolean {
    return this.running.size === 0;
  }

  /** What a workflow has running now and waits for. */
  of(workflowId: string): readonly Context[] {
    return [...this.running].filter(
      ({ info }) => info.workflowExecution?.workflowId === workflowId && !BESIDE.has(info.activityType),
    );
  }

  /**
   * Returns when a workflow has only one activity running, and has seen the end of every other. To cancel an activity
   * that ends in the same moment wedges the time-skipping server (sdk-java#2391).
   */
  async lastOf(workflowId: string, withinMs: number): Promise<void> {
    await seenOften(() => this.of(workflowId).length <= 1, withinMs);
  }

  /** Returns when nothing at all runs. */
  async idle(withinMs: number): Promise<void> {
    await seenOften(() => this.running.size === 0, withinMs);
  }
}

/**
 * An activity that was told to stop and fails instead has ended for a server: it is not tried again. The time-skipping one
 * tries it again and never ends it, so here it ends as cancelled, which is the same for whoever goes back then.
 */
async function cancelledInstead(context: Context, error: unknown): Promise<unknown> {
  context.heartbeat();
  await Promise.race([context.cancelled.catch(() => {}), delay(TOLD_WITHIN_MS)]);
  return context.cancellationSignal.aborted ? new CancelledFailure('the activity was cancelled') : error;
}

async function seenOften(what: () => boolean, withinMs: number): Promise<void> {
  const deadline = wall() + withinMs;
  for (let seen = 0; seen < LOOKS && wall() < deadline; ) {
    seen = what() ? seen + 1 : 0;
    await delay(LOOK_MS);
  }
}

async function sleep(context: Context, clock: ActivityClock, ms: number): Promise<void> {
  clock.ahead += ms;
  await new Promise(setImmediate);
  if (context.cancellationSignal.aborted) throw new CancelledFailure('the activity was cancelled');
}
