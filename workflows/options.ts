import type { ActivityOptions, RetryPolicy } from '@temporalio/common';
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { FailureType, NON_RETRYABLE_FAILURES } from '../domain/failures.ts';

/**
 * How an activity is called. Every call names its timeouts, retry policy and cancellation type: the SDK's default
 * (`TRY_CANCEL`) would let a rollback begin while the deploy it undoes still runs.
 */
export type Profile = Required<
  Pick<ActivityOptions, 'startToCloseTimeout' | 'scheduleToCloseTimeout' | 'retry' | 'cancellationType'>
> &
  Pick<ActivityOptions, 'heartbeatTimeout' | 'scheduleToStartTimeout' | 'taskQueue'>;

const retry: RetryPolicy = {
  initialInterval: '500ms',
  backoffCoefficient: 2,
  maximumInterval: '10s',
  nonRetryableErrorTypes: [...NON_RETRYABLE_FAILURES],
};

/** Missed for so long, a worker is taken for dead and the activity starts again elsewhere. */
export const HEARTBEAT_TIMEOUT = '10s';

/** A quick question to one system: 20 s an attempt, tried for 10 minutes while the system is away. */
export const READ: Profile = {
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '10m',
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/**
 * A change that is verified by reading back, with heartbeats. What is not there at its own deadline is no better a
 * second time: that ends the attempt for good.
 *
 * @param seconds how long one attempt may take; while the system is away it is tried for 10 minutes more
 */
export function change(seconds: number): Profile {
  return {
    startToCloseTimeout: (seconds + 30) * 1000,
    scheduleToCloseTimeout: (seconds + 30 + 600) * 1000,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { ...retry, nonRetryableErrorTypes: [...NON_RETRYABLE_FAILURES, FailureType.DeadlineExceeded] },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  };
}

/** The same for a change that puts something back: it is tried for a day, since the way back must not end halfway. */
export function restore(seconds: number): Profile {
  return { ...change(seconds), scheduleToCloseTimeout: '1 day', retry };
}

/** Between two looks for hand-made changes. With the second look that confirms one it is seen within 30 s. */
const LOOK_EVERY = '8s';

/** A watch that lasts until it has something to tell: each look is an attempt, the retry policy brings the next one. */
export const WATCH: Profile = {
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3650 days',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: {
    initialInterval: LOOK_EVERY,
    backoffCoefficient: 1,
    maximumInterval: LOOK_EVERY,
    nonRetryableErrorTypes: [FailureType.UnknownEnvironment],
  },
  // It changes nothing, so nobody waits for its end.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

/** The same look once, for somebody who waits for the answer. */
export const LOOK: Profile = {
  ...WATCH,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1m',
  retry: { ...retry, maximumAttempts: 2 },
};

/**
 * A watch over a canary: each look is an attempt, and the retry policy brings the next one.
 *
 * @param pauseSeconds between two looks
 */
export function watch(pauseSeconds: number): Profile {
  const pause = pauseSeconds * 1000;
  return {
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '30 days',
    retry: {
      initialInterval: pause,
      backoffCoefficient: 1,
      maximumInterval: pause,
      nonRetryableErrorTypes: [...NON_RETRYABLE_FAILURES],
    },
    // It changes nothing, so nobody waits for its end.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  };
}

/**
 * A first, short try of a way back. What is not there in time is seen to by longer means.
 *
 * @param seconds how long one attempt may take
 */
export function atOnce(seconds: number): Profile {
  return {
    ...change(seconds),
    startToCloseTimeout: (seconds + 5) * 1000,
    scheduleToCloseTimeout: (seconds + 10) * 1000,
  };
}

/** No way back may stand behind a ledger that does not answer: a call that is cancelled is left behind at once. */
const leftBehind = ActivityCancellationType.TRY_CANCEL;

/** Something quick as a local activity: tried once, in the worker that has the run. */
export const NEAR: Profile = {
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '6s',
  retry: { maximumAttempts: 1 },
  cancellationType: leftBehind,
};

/** A write into a ledger that is away: Temporal asks every 10 s, for a day, which costs the history nothing. */
export const LEDGER_AWAY: Profile = {
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '1 day',
  retry,
  cancellationType: leftBehind,
};

/** A look at whether the way back is ready, as a local activity: tried once, in the worker that has the run. */
export const READINESS_NEAR: Profile = {
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '6s',
  retry: { maximumAttempts: 1 },
  cancellationType: leftBehind,
};

/** The same for a way back itself, which has no time to wait for an answer. */
export const READINESS_ONCE: Profile = { ...READINESS_NEAR, startToCloseTimeout: '10s', scheduleToCloseTimeout: '12s' };

/** A wait for the way back; it changes nothing, so one that is cancelled is left behind at once. */
export const READINESS_AWAITED: Profile = {
  startToCloseTimeout: '65m',
  scheduleToCloseTimeout: '70m',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry,
  cancellationType: leftBehind,
};

/** Reading much of the ledger, for somebody who waits for the answer: tried once. */
export const LEDGER_READ: Profile = {
  ...LEDGER_AWAY,
  startToCloseTimeout: '50s',
  scheduleToCloseTimeout: '55s',
  retry: { ...retry, maximumAttempts: 1 },
};

/**
 * Activities of one system under a profile, with the line that the Temporal UI shows.
 *
 * @param summary what this call does, for people; one line, at most 120 characters are shown
 */
export function activities<A>(profile: Profile, summary: string) {
  return proxyActivities<A>({ ...profile, summary });
}
