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

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    record: 'scenarios of 1.7.236',
    step: 40,
    at: '/body/queue/0/count',
    reason: 'Marathon has launched already and waits for its own store; the cell launches in one step, a moment later.',
  },
  {
    record: 'scenarios of 1.8.244',
    step: 5,
    at: '/body',
    reason: 'To stop an app without a task takes Marathon a moment and the cell none.',
  },
  {
    record: 'life on 1.8.244',
    step: 6,
    at: '/body/marathon_config',
    reason: '1.8 has two settings that 1.11 has not, and lacks one.',
  },
  ...[19, 28].map((step) => ({
    record: 'life on 1.8.244',
    step,
    at: '/body/versions',
    reason:
      'Marathon lists versions of refused changes and such that were asked for; the cell leaves these ghosts out.',
  })),
  { record: 'life on 1.8.244', step: 20, reason: 'The recorder asked for such a ghost.' },
  ...['/body/app/taskStats', '/body/app/tasksStats'].map((at) => ({
    record: 'life on 1.8.244',
    step: 32,
    at,
    reason: '1.8 spells the key of the statistics as 1.7, 1.11 another way.',
  })),
  {
    record: 'scenarios of 1.8.244',
    step: 37,
    at: '/body/app/tasks',
    reason: '1.8 shows the task that failed until the next one starts.',
  },
];
