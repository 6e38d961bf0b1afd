/** What of the golden records the cell does not say, each with its reason. A test fails when an entry is not needed. */
export interface KnownDifference {
  /** Name of the record. */
  readonly record: string;
  /** Index of the step, or the events. */
  readonly step: number | 'events';
  /**
   * Where in the answer, such as `/body/details`; everything else of it is the same. Of events: how those lines begin
   * that differ. Absent: all of it.
   */
  readonly at?: string;
  /** It may also be the same, by chance. */
  readonly chance?: boolean;
  readonly reason: string;
}

/** Events of a record that come or do not come by chance; they are neither waited for nor compared. */
export interface ChanceEvent {
  readonly record: string;
  readonly eventType: string;
  /** Members that such an event has. */
  readonly has?: Readonly<Record<string, unknown>>;
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
const ONE_REPLACEMENT =
  'Of two that became inactive at once only one was replaced there, as the second look came while the first was under way.';
const IN_TURN =
  'Instances start, fail and are replaced again and again: how often, and where each is, depends on when one asks.';
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
  { record: 'agent-lost', step: 6, at: '/body/queue/0/processedOffersSummary', chance: true, reason: OFFERS },
  ...['tasks', 'tasksStats', 'tasksStaged', 'tasksRunning', 'tasksHealthy', 'tasksUnhealthy', 'lastTaskFailure'].map(
    (key) => ({
      record: 'upgrade-health-fails-midway',
      step: 3,
      at: `/body/app/${key}`,
      chance: true,
      reason: IN_TURN,
    }),
  ),
  { record: 'upgrade-health-fails-midway', step: 7, at: '/body/app/lastTaskFailure', chance: true, reason: IN_TURN },
  ...['failed_health_check', 'health_status_changed', 'instance_', 'status_update', 'unhealthy_instance_kill'].map(
    (at) => ({ record: 'upgrade-health-fails-midway', step: 'events' as const, at, chance: true, reason: IN_TURN }),
  ),
  ...[7, 9].map((step) => ({ record: 'agent-lost-timed', step, at: '/body/queue', reason: ONE_REPLACEMENT })),
  { record: 'agent-lost-timed', step: 11, at: '/body/apps/1/tasks', chance: true, reason: ONE_REPLACEMENT },
  ...[
    'status_update_event {"appId":"/at/long"',
    'instance_changed_event {"agentId":null,"condition":"Scheduled","host":null,"instanceId":"at_long.',
    ...['Provisioned', 'Starting', 'Running'].map(
      (condition) =>
        `instance_changed_event {"agentId":"a agentId","condition":"${condition}","host":"a host","instanceId":"at_long.`,
    ),
  ].map((at) => ({
    record: 'agent-lost-timed',
    step: 'events' as const,
    at,
    chance: true,
    reason: ONE_REPLACEMENT,
  })),
  ...[
    ['agent-lost', '/al/timed'],
    ['agent-lost', '/al/disabled'],
    ['agent-lost-timed', '/at/disabled'],
  ].flatMap(([record = '', appId]) =>
    ['[]', '[{"ipAddress":"127.0.0.1","protocol":"IPv4"}]'].map((addresses) => ({
      record,
      step: 'events' as const,
      at: `status_update_event {"appId":"${appId}","host":"a host","ipAddresses":${addresses},"message":"Unreachable agent`,
      reason: NO_ADDRESSES,
    })),
  ),
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

const REPEATED = 'Mesos told three times of a task that nobody knew any more, until it was acknowledged.';
const DYING = 'Whether a check falls between the end of a container and the word of it.';

export const CHANCE_EVENTS: readonly ChanceEvent[] = [
  ...['agent-lost', 'agent-lost-timed'].map((record) => ({
    record,
    eventType: 'unknown_instance_terminated_event',
    reason: REPEATED,
  })),
  { record: 'docker-bridge', eventType: 'failed_health_check_event', reason: DYING },
  { record: 'docker-bridge', eventType: 'health_status_changed_event', has: { alive: false }, reason: DYING },
  { record: 'docker-bridge', eventType: 'instance_health_changed_event', has: { healthy: false }, reason: DYING },
];
