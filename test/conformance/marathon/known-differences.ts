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
  ...(['/body/app/tasks', '/body/app/lastTaskFailure/taskId'] as const).flatMap((at) => [
    {
      record: 'scenarios of 1.8.244',
      step: 23,
      at,
      reason: '1.8 counted the tasks of an instance by two when its check had ended one.',
    },
    {
      record: 'scenarios of 1.8.244',
      step: 37,
      at,
      reason: '1.8 knew no delay of a crash, so it had crashed more often.',
    },
  ]),
];
