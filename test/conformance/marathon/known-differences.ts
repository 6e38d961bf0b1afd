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

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    record: 'scenarios of 1.7.236',
    step: 40,
    at: '/body/queue/0/count',
    reason: 'Marathon has launched already and waits for its own store; the cell launches in one step, a moment later.',
  },
];
