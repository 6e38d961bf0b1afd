import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** The clock of one running activity: by how much it is ahead of the wall's, ms. */
interface ActivityClock {
  ahead: number;
}

const clocks = new AsyncLocalStorage<ActivityClock>();
const wall = performance.now.bind(performance);

/** Told to chat, or run beside everything for long: nothing of a release's way waits for these. */
const BESIDE = new Set(['notify', 'runBuilder']);
const LOOK_MS = 10;
const LOOKS = 3;

/**
 * Makes time pass for activities as it does for workflows on the time-skipping server: an activity that sleeps between
 * two looks goes on at once, and its own clock is ahead by the time it slept. So a deadline of two minutes is reached
 * after as many looks as in two minutes, whatever the machine does meanwhile. Only `performance.now`, by which
 * activities keep their deadlines, and `Context.sleep` are changed, and nothing outside of activities.
 */
export class ActivityTime {
  private readonly running = new Set<Context>();

  constructor() {
    performance.now = () => wall() + (clocks.getStore()?.ahead ?? 0);
  }

  readonly interceptors: ActivityInterceptorsFactory = (context) => ({
    inbound: {
      execute: async (input, next) => {
        const clock: ActivityClock = { ahead: 0 };
        Reflect.set(context, 'sleep', (ms: number) => sleep(context, clock, ms));
        this.running.add(context);
        try {
          return await clocks.run(clock, () => next(input));
        } finally {
          this.running.delete(context);
        }
      },
    },
  });

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
