/** What every forward effect passes right before it; nobody on a way back asks it. */
export interface Gate {
  /**
   * Returns when the effect may begin.
   *
   * @param environment where it changes something; undefined for what is in none, such as a build
   * @param effect what is about to begin, as the Temporal UI shows it
   */
  pass(environment: string | undefined, effect: string): Promise<void>;
}

/** Lets everything through: for ways back. */
export const OPEN_GATE: Gate = { pass: async () => {} };
