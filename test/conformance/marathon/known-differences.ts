/**
 * What of the records of real Marathons the cell does not say, each with its reason. A test fails when an entry is not
 * needed. Besides, no two servers share ids, times, ports and addresses (`comparable.ts`). Of samples, which of the
 * states between two requests the recorder saw, four times a second, is chance: those at rest are compared, and by the
 * events how few ran and how many were there meanwhile.
 */
export interface KnownDifference {
  /** Name of the record. */
  readonly record: string;
  /** Index of the step, or the events. */
  readonly step: number | 'events';
  /**
   * Where in the answer, such as `/body/details`, or `/body/queue/[/web]` for what of a list is about that app;
   * everything else of it is the same. Of events: how those lines begin that differ. Absent: all of it.
   */
  readonly at?: string;
  /** What is there is the same but for its numbers, which are none or some alike. */
  readonly counts?: boolean;
  /** It may also be the same, by chance. */
  readonly chance?: boolean;
  readonly reason: string;
}

/** Events of a record of which something is a matter of chance, or of what is not Marathon. */
export interface EventDifference {
  readonly record: string;
  readonly eventType: string;
  /** Members that such an event has. */
  readonly has?: Readonly<Record<string, unknown>>;
  /**
   * `there`: whether they come at all; they are neither waited for nor compared. `times`: how often the same is said
   * again. Else the member that differs; the rest of such an event is the same.
   */
  readonly differs: 'there' | 'times' | { readonly member: string };
  readonly reason: string;
}

/** A member of answers in which a release differs from the profile everywhere. */
export interface SystematicDifference {
  /** Of the records that it concerns. */
  readonly release: string;
  readonly key: string;
  /** Only lists without an item. */
  readonly onlyEmpty?: boolean;
  readonly reason: string;
}

export const SYSTEMATIC_DIFFERENCES: readonly SystematicDifference[] = [
  { release: '1.8.244', key: 'enforceRole', reason: 'Groups have it from 1.9 on.' },
  { release: '1.8.244', key: 'pods', onlyEmpty: true, reason: '1.8 leaves out of groups what was not asked for.' },
  { release: '1.8.244', key: 'role', reason: 'Apps, tasks and queue items have a role from 1.9 on.' },
  {
    release: '1.8.244',
    key: 'details',
    onlyEmpty: true,
    reason: 'Only later releases add it to a GET that finds nothing.',
  },
  {
    release: '1.8.244',
    key: 'tasks',
    onlyEmpty: true,
    reason: '1.8 answers a POST with no tasks, 1.11 with none told.',
  },
];

/** A text that means the same in every answer of a release. */
export const SYSTEMATIC_TEXTS: readonly { release: string; pattern: RegExp; text: string; reason: string }[] = [
  {
    release: '1.8.244',
    pattern: /\._app\.\d+/g,
    text: '._app.N',
    reason: '1.8 counts the tasks of an instance by two when a check has ended one, and starts more of what crashes.',
  },
];

const WADL = 'The original describes its resources in WADL, which the record cuts; the cell names the methods alone.';
const PODS = 'The cell has no pods.';
const OFFERS = 'How many offers were looked at depends on how long it took.';
const FAILS_ON =
  'An app that keeps failing is somewhere else every moment; how often it failed is no matter of a restart.';
const NO_ADDRESSES =
  "There the agent told of the end of what had died with it; here the task's executor did, with its address.";

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    record: 'scenarios of 1.7.236',
    step: 40,
    at: '/body/queue/0/count',
    reason: 'Marathon has launched already and waits for its own store; the cell launches in one step, a moment later.',
  },
  {
    record: 'life on 1.8.244',
    step: 6,
    at: '/body/marathon_config',
    reason: '1.8 has two settings that 1.9 has not, and lacks one.',
  },
  { record: 'deployment-delete-rollback', step: 19, at: '/body/queue/0/processedOffersSummary', reason: OFFERS },
  {
    record: 'agent-lost',
    step: 6,
    at: '/body/queue/0/processedOffersSummary',
    counts: true,
    chance: true,
    reason: OFFERS,
  },
  ...[7, 9].map((step) => ({
    record: 'agent-lost-timed',
    step,
    at: '/body/queue/0/processedOffersSummary',
    counts: true,
    chance: true,
    reason: OFFERS,
  })),
  ...[
    { at: '/body/apps/[/r/fail]', steps: [4, 18] },
    { at: '/body/queue/[/r/fail]', steps: [6, 20] },
    { at: '/body/tasks/[/r/fail]', steps: [9, 21] },
  ].flatMap(({ at, steps }) =>
    steps.map((step) => ({ record: 'marathon-restart', step, at, chance: true, reason: FAILS_ON })),
  ),
  ...[6, 20].map((step) => ({
    record: 'marathon-restart',
    step,
    at: '/body/queue/[/r/up]/processedOffersSummary',
    counts: true,
    chance: true,
    reason: OFFERS,
  })),
  ...[20, 21, 22].map((step) => ({ record: 'app-http-errors', step, at: '/body', reason: WADL })),
  {
    record: 'system-endpoints',
    step: 5,
    reason: 'The list of loggers is that of a Java program.',
  },
  ...[6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17].map((step) => ({ record: 'system-endpoints', step, reason: PODS })),
  { record: 'system-endpoints', step: 'events', reason: PODS },
  ...[24, 25].map((step) => ({
    record: 'system-endpoints',
    step,
    reason: 'The cell does not publish the RAML of its API.',
  })),
  { record: 'system-endpoints', step: 27, at: '/body', reason: 'The metrics are those of a Java program.' },
];

const REPEATED =
  'Mesos tells again of the end of a task that nobody knows any more until it is acknowledged, and so often it is told.';
const DYING = 'Whether a check falls between the end of a container and the word of it.';

export const EVENT_DIFFERENCES: readonly EventDifference[] = [
  ...['agent-lost', 'agent-lost-timed'].flatMap((record): readonly EventDifference[] => [
    { record, eventType: 'unknown_instance_terminated_event', differs: 'times', reason: REPEATED },
    {
      record,
      eventType: 'status_update_event',
      has: { message: 'Unreachable agent re-reregistered' },
      differs: { member: 'ipAddresses' },
      reason: NO_ADDRESSES,
    },
  ]),
  { record: 'docker-bridge', eventType: 'failed_health_check_event', differs: 'there', reason: DYING },
  {
    record: 'docker-bridge',
    eventType: 'health_status_changed_event',
    has: { alive: false },
    differs: 'there',
    reason: DYING,
  },
  {
    record: 'docker-bridge',
    eventType: 'instance_health_changed_event',
    has: { healthy: false },
    differs: 'there',
    reason: DYING,
  },
];

/**
 * Events that come anywhere among the others, in every record: of them it is compared that they come. In records of
 * 1.11 they are threads of their own, as `event-record.ts` says.
 */
export const EVENTS_ANYWHERE: Readonly<Record<string, string>> = {
  api_post_event: 'Told from the thread that answers the request, while others tell of what it began.',
  group_change_success: 'Told from the thread that answers the request, while others tell of what it began.',
  add_health_check_event: 'Told from the thread that begins the checks.',
  health_status_changed_event:
    'Of the same news, what one check saw and what it means for the instance come either first.',
};

/** Events that the records of 1.7 and 1.8 have by chance. */
export const EVENTS_BY_CHANCE: Readonly<Record<string, string>> = {
  unknown_instance_terminated_event: 'A kill of what had ended by itself a moment before.',
};

/** Numbers of which, in the records of 1.7 and 1.8, only whether there are any is compared. */
export const COUNTED: Readonly<Record<string, string>> = {
  processedOffersCount: OFFERS,
  unusedOffersCount: OFFERS,
  declined: OFFERS,
  processed: OFFERS,
  timeLeftSeconds: 'Seconds are shorter here, and an answer comes sooner or later.',
};
