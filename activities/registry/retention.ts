/** What retention must know that is configured. */
export interface RetentionRules {
  /** Every configured service with the branch whose manifest says how many releases to keep. */
  readonly services: readonly { readonly service: string; readonly branch: string }[];
  /** What was pushed later than so many seconds ago stays. */
  readonly graceSeconds: number;
  /** Machine whose node worker maintains the registry. */
  readonly host: string;
}

export type RetentionActivities = ReturnType<typeof createRetentionActivities>;

/** Activities that tell workflows what is configured for retention. */
export function createRetentionActivities(rules: RetentionRules) {
  return {
    async readRetentionRules(): Promise<RetentionRules> {
      return rules;
    },
  };
}
